import type { Deployed } from './deployed.js';
import { onlyModel } from './deployed.js';
import type { YamlObject } from './metadata.js';
import type { Timing } from './sizing.js';

export interface Probes {
  readonly startupProbe: YamlObject;
  readonly readinessProbe: YamlObject;
  readonly livenessProbe: YamlObject;
}

/** Probes of the server's protocol, with the delays of this model. */
export function probes(deployed: Deployed): Probes {
  const { startup, readiness, liveness } = deployed.sizing;
  const [started, ready, alive] = actions(deployed);
  return {
    startupProbe: probe(started, startup),
    readinessProbe: probe(ready, readiness),
    livenessProbe: probe(alive, liveness),
  };
}

function actions(deployed: Deployed): readonly [YamlObject, YamlObject, YamlObject] {
  const { options } = deployed;
  if (options.server === 'torchserve') {
    // Its /ping is what there is: 200 when each model has its workers, 500 otherwise.
    const ping = options.token === 'on' ? pingWithToken(deployed) : get('/ping');
    // Not up is for the readiness probe: restarting the server would not mend a worker that fails to load.
    return [ping, ping, { tcpSocket: { port: 'http' } }];
  }
  const model = onlyModel(deployed);
  const modelReady = model === undefined ? '/v2/health/ready' : `/v2/models/${encodeURIComponent(model.name)}/ready`;
  return [get('/v2/health/ready'), get(modelReady), get('/v2/health/live')].map((action) =>
    options.server === 'kserve' ? withPort(action, deployed.traits.httpPort) : action,
  ) as unknown as readonly [YamlObject, YamlObject, YamlObject];
}

function get(path: string): YamlObject {
  return { httpGet: { path, port: 'http', scheme: 'HTTP' } };
}

/** KServe's runtime names its ports itself. */
function withPort(action: YamlObject, port: number): YamlObject {
  return { httpGet: { ...(action.httpGet as YamlObject), port } };
}

/** TorchServe writes a new token at each start; a probe over HTTP could not know it. */
function pingWithToken({ traits }: Deployed): YamlObject {
  const script = [
    'import json, urllib.request as r',
    "token = json.load(open('key_file.json'))['inference']['key']",
    `request = r.Request('http://127.0.0.1:${traits.httpPort}/ping', headers={'Authorization': 'Bearer ' + token})`,
    'r.urlopen(request, timeout=2)',
  ];
  return { exec: { command: ['python3', '-c', script.join('\n')] } };
}

/** Python takes a while to start on a busy node. */
const LEAST_EXEC_SECONDS = 5;

function probe(action: YamlObject, timing: Timing): YamlObject {
  const { initialDelaySeconds, timeoutSeconds, ...rest } = timing;
  return {
    ...action,
    ...(initialDelaySeconds > 0 ? { initialDelaySeconds } : {}),
    ...rest,
    timeoutSeconds: action.exec === undefined ? timeoutSeconds : Math.max(LEAST_EXEC_SECONDS, timeoutSeconds),
  };
}
