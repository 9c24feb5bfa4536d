import type { ChildState } from '../child-state.js';
import type { ReportProgress } from '../job.js';
import type { JobName, JobParams, JobResult } from '../protocol.js';
import { branchesJob } from './branches.js';
import { checkJob } from './check.js';
import { compareJob } from './compare.js';
import { contrastJob } from './contrast.js';
import { evaluateJob } from './evaluate.js';
import { fitSeedsJob } from './fit-seeds.js';
import { labelsJob } from './labels.js';
import { latencyJob } from './latency.js';
import { loadJob, releaseJob } from './load.js';
import { measureAdvanceJob, measureStartJob, measureWarmUpJob } from './measure.js';
import { pairsJob } from './pairs.js';
import { probeJob } from './probe.js';
import { processMemoryJob } from './process-memory.js';
import { profileJob } from './profile.js';
import { rangesJob, valueRangesJob } from './ranges.js';
import { peekJob, recordJob } from './record.js';
import { noiseJob, referenceJob } from './reference.js';
import { runJob } from './run.js';
import { samplesJob } from './samples.js';
import { statisticsJob } from './statistics.js';
import { dropRunsJob, keepRunsJob, stepSumsJob } from './step-sums.js';
import { sumsJob } from './sums.js';
import { trialEndJob, trialJob, trialOriginalJob } from './trial.js';
import { versionsJob } from './versions.js';

type JobTable = {
  readonly [J in JobName]: (
    state: ChildState,
    params: JobParams<J>,
    progress: ReportProgress,
  ) => Promise<JobResult<J>> | JobResult<J>;
};

/** What the child can do: the only list. */
export const JOBS: JobTable = {
  versions: versionsJob,
  probe: probeJob,
  load: loadJob,
  release: releaseJob,
  run: runJob,
  evaluate: evaluateJob,
  samples: samplesJob,
  labels: labelsJob,
  peek: peekJob,
  record: recordJob,
  compare: compareJob,
  reference: referenceJob,
  noise: noiseJob,
  check: checkJob,
  contrast: contrastJob,
  trialOriginal: trialOriginalJob,
  trial: trialJob,
  trialEnd: trialEndJob,
  ranges: rangesJob,
  valueRanges: valueRangesJob,
  statistics: statisticsJob,
  sums: sumsJob,
  keepRuns: keepRunsJob,
  stepSums: stepSumsJob,
  dropRuns: dropRunsJob,
  fitSeeds: fitSeedsJob,
  branches: branchesJob,
  latency: latencyJob,
  measureStart: measureStartJob,
  measureWarmUp: measureWarmUpJob,
  measureAdvance: measureAdvanceJob,
  pairs: pairsJob,
  processMemory: processMemoryJob,
  profile: profileJob,
};
