/** What `npm start` and `npm test` need before anything is installed: plain Node, no packages. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Touched by each good build; outside of dist, so that it is not packed. */
export const BUILD_STAMP = join(ROOT, '.cache', 'built');

/** Runs a program in the repository with inherited streams and answers its exit code. */
export function runProgram(command, args, environment = {}) {
  const { status, error, signal } = spawnSync(command, args, {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, ...environment },
    // npm is a .cmd file on Windows.
    shell: process.platform === 'win32' && command === 'npm',
  });
  if (error) console.error(`${command}: ${error.message}`);
  return status ?? (signal === null ? 1 : 130);
}

/** The JavaScript file behind a package's command, so that no shell and no `npx` is needed. */
export function toolPath(packageName, binary = packageName) {
  const folder = join(ROOT, 'node_modules', packageName);
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return join(folder, typeof bin === 'string' ? bin : bin[binary]);
}

/** Installs the locked packages when one is missing or has another version. */
export function ensureInstalled() {
  const missing = missingPackages();
  if (missing.length === 0) return;
  console.error(`Installing packages (${missing.length} missing, for example ${missing[0]}) …`);
  // ONNX Runtime's own install script would fetch GPU libraries from outside npm; the CPU library is in the package.
  // Not `npm ci`: it refuses a lock file that lacks the optional packages of other platforms, which a registry mirror may
  // not carry. `--no-save` keeps to the locked versions and leaves the lock file as it is.
  const args = ['install', '--no-save', '--no-audit', '--no-fund'];
  const code = runProgram('npm', args, { ONNXRUNTIME_NODE_INSTALL: 'skip' });
  if (code !== 0) {
    console.error('npm install failed. It needs a package registry; see the lines above.');
    process.exit(code);
  }
}

function missingPackages() {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  const { dependencies = {}, devDependencies = {} } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  return Object.keys({ ...dependencies, ...devDependencies }).filter((name) => {
    const manifest = join(ROOT, 'node_modules', name, 'package.json');
    if (!existsSync(manifest)) return true;
    return JSON.parse(readFileSync(manifest, 'utf8')).version !== lock.packages[`node_modules/${name}`]?.version;
  });
}

/** Compiles `src` to `dist` when something is newer than the last build. Answers the compiler's exit code. */
export function ensureBuilt() {
  const sources = ['src', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];
  const newest = Math.max(...sources.map((path) => newestChange(join(ROOT, path))));
  const isBuilt = existsSync(BUILD_STAMP) && existsSync(join(ROOT, 'dist', 'cli', 'main.js'));
  if (isBuilt && statSync(BUILD_STAMP).mtimeMs >= newest) return 0;
  return runProgram(process.execPath, [join(ROOT, 'scripts', 'build.js')]);
}

function newestChange(path) {
  const status = statSync(path);
  if (!status.isDirectory()) return status.mtimeMs;
  // A folder's own time tells of removed files.
  return Math.max(status.mtimeMs, ...readdirSync(path).map((name) => newestChange(join(path, name))));
}

/** Removes compiled files whose source is gone, so that they are neither imported nor packed. */
export function removeOrphans(folder = 'dist') {
  const outputFolder = join(ROOT, folder);
  if (!existsSync(outputFolder)) return;
  for (const entry of readdirSync(outputFolder, { recursive: true })) {
    const match = /^(.*?)(\.d\.ts|\.js)$/.exec(entry);
    if (match && !existsSync(join(ROOT, 'src', `${match[1]}.ts`))) rmSync(join(outputFolder, entry), { force: true });
  }
}
