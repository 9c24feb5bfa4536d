import { statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServeOptError } from '../../errors.js';
import { formatBytes } from '../../report/format.js';
import { safeText } from '../../report/safe-text.js';
import type { ProbeResult } from '../../runtime/protocol.js';
import { probeRuntime } from '../../runtime/providers.js';
import { withWorkFolder } from '../../runtime/work-folder.js';
import { formatVersion } from '../../targets/tensorrt/version.js';
import type { CommandContext, CommandResult } from '../command.js';
import type { Versions } from '../context.js';
import { withProse } from '../render/clauses.js';
import { type Cell, renderTable } from '../render/table.js';
import type { TextOptions } from '../render/text-options.js';
import { wrapLine } from '../render/wrap.js';
import { findTools, type ToolReport } from '../tools.js';

/** The `result` of `serve-opt doctor --json`. */
export interface DoctorReport {
  readonly schemaVersion: 1;
  readonly versions: Versions;
  readonly runtime: RuntimeState;
  readonly tools: readonly ToolReport[];
  readonly temporaryFolder: FolderState;
}

export interface RuntimeState {
  /** False when ONNX Runtime is missing or cannot be loaded; `why` and `hint` then tell more. */
  readonly works: boolean;
  readonly version?: string;
  readonly why?: string;
  readonly hint?: string;
  readonly providers: readonly ProbeResult[];
}

export interface FolderState {
  readonly path: string;
  readonly writable: boolean;
  readonly freeBytes?: number;
  readonly why?: string;
}

/** `serve-opt doctor`: what works here. A part that does not is an answer, not an error: the exit code stays 0. */
export async function run(context: CommandContext): Promise<CommandResult> {
  context.progress.handle({ kind: 'start', stage: 'probe' });
  const [runtime, tools, temporaryFolder] = await Promise.all([
    runtimeState(context.signal),
    toolsWithVersions(context),
    folderState(tmpdir()),
  ]);
  context.progress.handle({ kind: 'end', stage: 'probe' });
  const report: DoctorReport = { schemaVersion: 1, versions: context.versions, runtime, tools, temporaryFolder };
  return { report, text: () => renderDoctor(report, context) };
}

/** trtexec is looked for in its own places too, and asked for its version. */
async function toolsWithVersions(context: CommandContext): Promise<readonly ToolReport[]> {
  const tools = await findTools(context.env);
  return Promise.all(tools.map((tool) => (tool.name === 'trtexec' ? trtexecState(tool, context) : tool)));
}

async function trtexecState(tool: ToolReport, { env, signal }: CommandContext): Promise<ToolReport> {
  const { openToolchain } = await import('../../workflows/tensorrt/toolchain.js');
  try {
    const { version, program } = await openToolchain({ env }, { signal });
    return { ...tool, found: true, path: program, version: formatVersion(version) };
  } catch (error) {
    if (signal.aborted || !(error instanceof ServeOptError) || error.code !== 'SO5201') throw error;
    return tool.found ? { ...tool, why: error.why ?? error.message } : tool;
  }
}

/** Where a tool is, and its version where that is known. */
function toolText({ path, purpose, version, why }: ToolReport): string {
  if (path === undefined) return `not found (${purpose})`;
  if (version !== undefined) return `${path} (TensorRT ${version})`;
  return why === undefined ? path : `${path} does not work: ${why}`;
}

async function runtimeState(signal: AbortSignal): Promise<RuntimeState> {
  try {
    const { onnxRuntime, providers } = await probeRuntime({ signal });
    return { works: providers.some((provider) => provider.works), version: onnxRuntime, providers };
  } catch (error) {
    if (signal.aborted || !(error instanceof ServeOptError) || error.code === 'SO9001') throw error;
    return {
      works: false,
      why: error.why === undefined ? error.message : `${error.message}: ${error.why}`,
      hint: error.hint,
      providers: [],
    };
  }
}

/** Writes and removes a file, since permissions alone do not tell of full or read-only disks. */
async function folderState(path: string): Promise<FolderState> {
  try {
    await withWorkFolder((folder) => writeFile(join(folder.path, 'probe'), new Uint8Array(4096)), { parent: path });
    const { bavail, bsize } = await statfs(path);
    return { path, writable: true, freeBytes: bavail * bsize };
  } catch (error) {
    return { path, writable: false, why: error instanceof Error ? error.message : String(error) };
  }
}

/** What was looked at, whether it works, and what there is to say of it. */
interface DoctorRow {
  readonly cells: readonly Cell[];
  readonly text: string;
}

/** The answer for people. */
export async function renderDoctor(report: DoctorReport, { style, columns, verbosity }: TextOptions): Promise<string> {
  const verbose = verbosity > 0;
  const { versions, runtime, temporaryFolder } = report;
  const line = (works: boolean, name: string, text: string): DoctorRow => ({
    cells: [{ text: works ? '✓' : '✗', style: works ? 'green' : 'red' }, name],
    text: safeText(text, 4000),
  });
  const width = verbose ? undefined : columns;
  const table = async (rows: readonly DoctorRow[]): Promise<string> => {
    const cells = rows.map((row) => row.cells);
    const drawn = await renderTable([{ title: '' }, { title: '' }], cells, { columns: width, style, indent: 2 });
    return withProse(
      drawn,
      rows.map(({ text }) => text),
      { columns: width },
    );
  };
  const providers = runtime.providers.map((result) =>
    line(result.works, result.provider, providerText(result, verbose)),
  );
  const tools = report.tools.map((tool) => line(tool.found && tool.why === undefined, tool.name, toolText(tool)));
  const free = temporaryFolder.freeBytes === undefined ? '' : `, ${formatBytes(temporaryFolder.freeBytes)} free`;
  const folder = line(
    temporaryFolder.writable,
    temporaryFolder.path,
    temporaryFolder.writable ? `writable${free}` : `not writable: ${temporaryFolder.why ?? ''}`,
  );
  const program = [
    line(true, 'serve-opt', versions.serveOpt),
    line(true, 'node', `${versions.node} (${versions.platform})`),
    line(runtime.works, 'onnxruntime', runtime.version ?? `does not work: ${runtime.why ?? ''}`),
  ];
  const parts = [style.bold('Versions'), await table(program)];
  if (runtime.hint !== undefined) parts.push(wrapLine(`    ${style.cyan('hint:')} ${runtime.hint}`, width, 10));
  if (providers.length > 0) {
    const more =
      !verbose && runtime.providers.some((provider) => !provider.works)
        ? style.dim(' (-v shows the message of ONNX Runtime)')
        : '';
    parts.push('', wrapLine(`${style.bold('Execution providers')}${more}`, width), await table(providers));
  }
  parts.push('', style.bold('Tools on PATH'), await table(tools));
  parts.push('', style.bold('Temporary folder'), await table([folder]));
  return parts.join('\n');
}

/** What is wrong and what helps; with `-v` also what ONNX Runtime said. */
function providerText({ works, cause, fix, why }: ProbeResult, verbose: boolean): string {
  if (works) return 'works';
  const advice = fix === undefined ? '' : `; ${fix}`;
  const said = verbose && why !== undefined && why !== cause ? ` (${why})` : '';
  return `does not work: ${cause ?? why ?? 'no reason given'}${advice}${said}`;
}
