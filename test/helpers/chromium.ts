/** A headless Chromium, driven over the pipe of its debugging protocol: no port, no package. */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Path of a browser: CHROME_PATH, or the first known name on PATH. */
export function findChromium(): string | undefined {
  const candidates = [
    process.env.CHROME_PATH ?? '',
    ...NAMES.flatMap((name) => (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name))),
  ];
  return candidates.find((path) => {
    try {
      if (path !== '') accessSync(path, constants.X_OK);
      return path !== '';
    } catch {
      return false;
    }
  });
}

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--no-default-browser-check',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-extensions',
  '--disable-default-apps',
  '--no-pings',
  // Whatever a page might ask for, no name is found.
  '--host-resolver-rules=MAP * ~NOTFOUND',
  '--remote-debugging-pipe',
];

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

/** What a page was seen to do. */
export interface PageEvents {
  /** Messages of the console, entries of the log (blocked by policy, broken markup) and exceptions. */
  readonly complaints: string[];
  /** Addresses that were asked for, the page's own included. */
  readonly requests: string[];
}

export interface View {
  readonly width: number;
  readonly height: number;
  readonly dark?: boolean;
  /** `print` shows the page as paper has it. */
  readonly media?: 'screen' | 'print';
}

/** One tab of the browser. */
export interface Page {
  readonly events: PageEvents;
  /** Shows a file and waits until it has loaded. */
  open(url: string, view: View): Promise<void>;
  /** Changes the view of what is open. */
  show(view: View): Promise<void>;
  /** The value of an expression in the page. */
  evaluate<Value>(expression: string): Promise<Value>;
  /** The whole page as PNG. */
  screenshot(): Promise<Buffer>;
}

export interface Chromium {
  readonly page: Page;
  close(): Promise<void>;
}

/** Starts a browser with a profile of its own, and a tab. */
export async function startChromium(path: string): Promise<Chromium> {
  const profile = mkdtempSync(join(tmpdir(), 'chromium-'));
  const child = spawn(path, [...FLAGS, `--user-data-dir=${profile}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    env: { ...process.env, HOME: profile, XDG_CONFIG_HOME: profile, XDG_CACHE_HOME: profile },
  });
  const close = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    }
    await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  };
  try {
    return { page: await openTab(connect(child)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Connection {
  send(method: string, params?: object, sessionId?: string): Promise<Record<string, unknown>>;
  /** Hears every event; gives back what ends that. */
  listen(hear: (method: string, params: Record<string, unknown>) => void): () => void;
}

/** Messages are JSON, each ended by a zero byte. */
function connect(child: ChildProcess): Connection {
  const input = child.stdio[3] as Writable;
  const output = child.stdio[4] as Readable;
  const waiting = new Map<
    number,
    { resolve: (result: Record<string, unknown>) => void; reject: (error: Error) => void }
  >();
  const listeners = new Set<(method: string, params: Record<string, unknown>) => void>();
  let rest = '';
  let lastId = 0;
  output.setEncoding('utf8');
  output.on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\0');
    rest = parts.pop() ?? '';
    for (const part of parts) receive(JSON.parse(part));
  });
  input.on('error', () => {});
  child.once('error', fail);
  child.once('exit', (code, signal) => fail(new Error(`Chromium ended: ${code ?? signal}`)));

  function fail(error: Error): void {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  }

  function receive({ id, method, params, result, error }: Message): void {
    if (method !== undefined) for (const hear of listeners) hear(method, params ?? {});
    if (id === undefined) return;
    const asked = waiting.get(id);
    waiting.delete(id);
    if (error !== undefined) asked?.reject(new Error(error.message));
    else asked?.resolve(result ?? {});
  }

  return {
    send: (method, params = {}, sessionId) =>
      new Promise((resolve, reject) => {
        const id = ++lastId;
        waiting.set(id, { resolve, reject });
        input.write(`${JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) })}\0`);
      }),
    listen: (hear) => {
      listeners.add(hear);
      return () => listeners.delete(hear);
    },
  };
}

async function openTab(connection: Connection): Promise<Page> {
  const { targetId } = await connection.send('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await connection.send('Target.attachToTarget', { targetId, flatten: true });
  const send = (method: string, params: object = {}) => connection.send(method, params, String(sessionId));
  const events: PageEvents = { complaints: [], requests: [] };
  connection.listen((method, params) => {
    const { entry, args, exceptionDetails, request } = params as {
      entry?: { text?: string };
      args?: { value?: unknown; description?: string }[];
      exceptionDetails?: { text?: string };
      request?: { url?: string };
    };
    if (method === 'Log.entryAdded') events.complaints.push(entry?.text ?? 'log');
    if (method === 'Runtime.consoleAPICalled') {
      events.complaints.push((args ?? []).map(({ value, description }) => String(value ?? description)).join(' '));
    }
    if (method === 'Runtime.exceptionThrown') events.complaints.push(exceptionDetails?.text ?? 'exception');
    if (method === 'Page.javascriptDialogOpening') events.complaints.push('a dialog opened');
    if (method === 'Network.requestWillBeSent') events.requests.push(request?.url ?? '');
  });
  for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await send(`${domain}.enable`);

  async function show({ width, height, dark = false, media = 'screen' }: View): Promise<void> {
    await send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: width < 600 });
    await send('Emulation.setEmulatedMedia', {
      media,
      features: [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }],
    });
  }

  return {
    events,
    show,
    async open(url, view) {
      events.complaints.length = 0;
      events.requests.length = 0;
      await show(view);
      const loaded = new Promise<void>((resolve) => {
        const stop = connection.listen((method) => {
          if (method !== 'Page.loadEventFired') return;
          stop();
          resolve();
        });
      });
      await send('Page.navigate', { url });
      await loaded;
    },
    async evaluate<Value>(expression: string) {
      const { result, exceptionDetails } = await send('Runtime.evaluate', { expression, returnByValue: true });
      if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
      return (result as { value: Value }).value;
    },
    async screenshot() {
      const { data } = await send('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true });
      return Buffer.from(String(data), 'base64');
    },
  };
}
