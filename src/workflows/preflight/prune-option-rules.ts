import { BY_RUNNING, type OptionRule } from './option-rule.js';

/** What goes together and what does not, of options that only `prune` has. */
export const PRUNE_OPTION_RULES: readonly OptionRule[] = [
  {
    commands: ['prune'],
    options: ['--pattern'],
    excludes: ['--method structured', '--method channels', '--method heads', '--method neurons', '--method layers'],
    why: 'a pattern is of single weights',
    hint: 'add --method obs or --method magnitude',
  },
  {
    commands: ['prune'],
    options: ['--pattern'],
    needs: '--method',
    why: 'a pattern is of single weights, and whole units are cut by default',
    hint: 'add --method obs or --method magnitude',
  },
  {
    commands: ['prune'],
    options: ['--pattern'],
    excludes: ['--amount', '--global'],
    why: 'N:M says how many weights stay in every layer',
  },
  {
    commands: ['prune'],
    options: [
      '--target-macs',
      '--target-params',
      '--target-latency',
      '--score',
      '--align',
      '--through-normalization',
      '--allocation',
      '--steps',
    ],
    excludes: ['--method magnitude', '--method obs', '--method wanda'],
    why: 'it applies to whole units, and single zeros take nothing away',
  },
  {
    commands: ['prune'],
    options: ['--score', '--align', '--through-normalization', '--allocation', '--steps', '--global'],
    excludes: ['--method layers'],
    why: 'it applies to units within layers, and whole blocks are dropped',
  },
  {
    commands: ['prune'],
    options: ['--allocation'],
    excludes: ['--global'],
    hint: 'write --allocation global alone',
  },
  {
    commands: ['prune'],
    options: ['--target-latency', '--allocation sensitivity', '--allocation latency'],
    excludes: ['--no-verify'],
    why: 'models are run and timed for it',
  },
  {
    commands: ['prune'],
    options: ['--target-latency'],
    excludes: ['--target-macs', '--target-params', '--steps'],
    why: 'each decides how much is cut',
  },
  {
    commands: ['prune'],
    options: ['--score activation', '--score obs'],
    needs: '--data',
    why: 'what layers read is measured on samples',
    hint: 'add --data samples.npz, or use --score l2',
  },
  {
    commands: ['prune'],
    options: ['--method obs', '--method wanda'],
    needs: '--data',
    why: 'what layers read is measured on samples',
    hint: 'add --data samples.npz, or use --method magnitude',
  },
  {
    commands: ['prune'],
    options: ['--method obs', '--method wanda'],
    excludes: ['--global', '--no-verify'],
    why: 'layers are pruned one after the other, by running the model',
  },
  {
    commands: ['prune'],
    options: ['--target-macs', '--target-params', '--target-latency'],
    excludes: ['--amount'],
    why: 'the target decides how much is cut',
    hint: 'leave --amount out',
  },
  {
    commands: ['prune'],
    options: ['--data', '--ep', '--threads', '--samples'],
    idleWith: ['--no-verify'],
    why: BY_RUNNING,
  },
  { commands: ['prune'], options: ['--samples'], idleWithout: ['--data'], why: 'it limits the samples of the data' },
];
