import { checkConfig } from './config-rules.js';
import { checkEntries } from './entry-rules.js';
import { checkManifest, type ManifestFacts } from './manifest-rules.js';
import type { MarContents } from './mar-contents.js';
import { type MarFinding, reporter } from './mar-finding.js';
import { checkHandler, checkRequirements } from './python-rules.js';

/** What rules found in an archive, and which files are what, for checks of the model itself. */
export interface MarLint {
  readonly findings: readonly MarFinding[];
  readonly manifest: ManifestFacts;
}

/** Checks an archive by the rules of TorchServe: its layout, the manifest, the handler, requirements and settings. */
export function lintMar(contents: MarContents): MarLint {
  const findings: MarFinding[] = [];
  const report = reporter(findings);
  checkEntries(contents, report);
  // Of what was not unpacked, nothing more is known.
  if (contents.stopped !== undefined) return { findings, manifest: {} };
  const manifest = checkManifest(contents, report);
  checkHandler(manifest, contents, report);
  if (manifest.requirementsFile !== undefined) checkRequirements(manifest.requirementsFile, contents, report);
  if (manifest.configFile !== undefined) checkConfig(manifest.configFile, contents, report);
  return { findings, manifest };
}
