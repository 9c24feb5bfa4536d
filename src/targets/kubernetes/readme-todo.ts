import { SERVER_IMAGES } from '../server-images.js';
import { shellWord } from '../shell-word.js';
import { type Deployed, onlyModel } from './deployed.js';
import { code } from './markdown.js';
import { serverImage } from './server-traits.js';
import { claimName, storageSecret } from './storage.js';
import { archiveName } from './torchserve-config.js';

/** What the manifests cannot know: each point is something that a person has to do or to check. */
export function todoSection(deployed: Deployed): string {
  return ['## Before you apply it', '', ...todos(deployed).map((each) => `- ${each}`)].join('\n');
}

/** Points of the section, as sentences in Markdown. */
export function todos(deployed: Deployed): string[] {
  return [
    `**Model.** ${modelTodo(deployed)}`,
    ...imageTodos(deployed),
    ...serverTodos(deployed),
    ...scalingTodos(deployed),
    ...routingTodos(deployed),
    ...(deployed.options.gpus > 0
      ? [
          '**GPU.** The nodes need the NVIDIA device plugin. A rollout starts a new pod before it ends an old one, which takes a free GPU.',
        ]
      : []),
  ];
}

function modelTodo(deployed: Deployed): string {
  const { storage } = deployed.options;
  const what = contents(deployed);
  switch (storage.kind) {
    case 'claim':
      return `Put ${what} into the claim ${code(claimName(deployed))}, which \`persistentvolumeclaim.yaml\` makes: several nodes read it (ReadWriteMany), so set a \`storageClassName\` that can do that.`;
    case 'pvc':
      return `Put ${what} into the claim ${code(storage.claim)}${storage.path === undefined ? '' : `, folder ${code(storage.path)}`}. It must be in the same namespace.`;
    case 's3':
      return `Put ${what} at ${code(storage.url)}. ${
        deployed.options.server === 'kserve'
          ? "KServe reads it with the credentials of the service account: see KServe's page on S3."
          : `Each pod copies it when it starts. If the nodes have no role that may read it, make the secret: \`kubectl create secret generic ${storageSecret(deployed)} --from-literal=AWS_ACCESS_KEY_ID=… --from-literal=AWS_SECRET_ACCESS_KEY=… --from-literal=AWS_REGION=…\`.`
      }`;
    case 'image':
      return `Build the image ${code(deployed.options.image ?? '')} with ${what} in ${code(deployed.traits.modelFolder)}.`;
    case 'image-volume':
      return `Push an image ${code(storage.reference)} that has ${what} at its root.${deployed.options.server === 'kserve' ? ' KServe needs modelcars enabled.' : ' Volumes of this kind need Kubernetes 1.33 or later.'}`;
    case 'host':
      return `Put ${what} into ${code(storage.path)} of every node that may run the pods. Namespaces with the restricted Pod Security Standard refuse such volumes.`;
  }
}

/** What must lie in the storage. */
function contents(deployed: Deployed): string {
  const { facts, options, variants } = deployed;
  if (options.server === 'torchserve')
    return variants.map((variant) => code(archiveName(deployed, variant))).join(' and ');
  if (facts.kind === 'repository') return `the folders of ${code(facts.sourceName)}`;
  const model = onlyModel(deployed)?.name ?? '';
  const versions = variants.flatMap(({ version }) => (version === undefined ? [] : [version]));
  return `the repository of \`serve-opt package triton ${shellWord(facts.sourceName)} --name ${shellWord(model)} -o models/\`${versions.length > 0 ? ` with the versions ${versions.join(', ')}` : ''}`;
}

/** Commands that fill the claim without a tool of the provider; undefined for other storage. */
export function fillCommands(deployed: Deployed): readonly string[] | undefined {
  const { options, facts, name, variants } = deployed;
  if (options.storage.kind !== 'claim') return undefined;
  const sources =
    options.server === 'torchserve'
      ? variants.map((variant) => shellWord(archiveName(deployed, variant)))
      : [facts.kind === 'repository' ? `${shellWord(facts.sourceName)}/*` : 'models/*'];
  const namespace = options.namespace === undefined ? '' : ` -n ${options.namespace}`;
  const pod = `${name}-fill`;
  const overrides = {
    spec: {
      volumes: [{ name: 'models', persistentVolumeClaim: { claimName: claimName(deployed) } }],
      containers: [
        {
          name: pod,
          image: SERVER_IMAGES.busybox,
          command: ['sleep', '3600'],
          volumeMounts: [{ name: 'models', mountPath: '/models' }],
        },
      ],
    },
  };
  return [
    `kubectl apply${namespace} -f persistentvolumeclaim.yaml`,
    `kubectl run${namespace} ${pod} --image=${SERVER_IMAGES.busybox} --overrides=${shellWord(JSON.stringify(overrides))}`,
    `kubectl wait${namespace} --for=condition=Ready --timeout=5m pod/${pod}`,
    `for each in ${sources.join(' ')}; do kubectl cp${namespace} "$each" ${pod}:/models/; done`,
    `kubectl delete${namespace} pod ${pod}`,
  ];
}

function imageTodos({ options }: Deployed): string[] {
  if (options.image !== undefined) return [];
  const image = serverImage(options);
  if (options.server === 'torchserve') {
    return [
      `**Image.** ${code(image ?? '')} is the default. It has no ONNX Runtime: pods install what the archive requires when they start, from a package index that they must reach. An image with the packages, by \`--image\`, starts faster and needs none.`,
    ];
  }
  return image === undefined
    ? ["**Image.** That of KServe's Triton runtime is used; `--image` chooses another."]
    : [
        `**Image.** ${code(image)} is the default: check that its ONNX Runtime has the operators of the model, or choose one with \`--image\`.`,
      ];
}

function serverTodos(deployed: Deployed): string[] {
  const { options, measurements } = deployed;
  if (options.server === 'torchserve') {
    const token =
      options.token === 'on'
        ? 'It asks for a token, which each pod makes for itself: that is why there is one pod. The probes read it from `key_file.json`.'
        : 'Its token is switched off, since each pod would make one of its own and a bare probe would get status 400. Management listens on the loopback interface only; who may send requests is up to your network policies.';
    return [
      '**TorchServe** is no longer maintained and gets no security fixes: prefer Triton or KServe.',
      `**Token.** ${token}`,
    ];
  }
  return [
    `**Threads.** ONNX Runtime counts the cores of the node, not those of the pod: set \`intra_op_thread_count\` to ${measurements.threads} in \`config.pbtxt\` (\`serve-opt package triton --threads\`)${options.instances > 1 ? `, and \`instance_group\` to ${options.instances}` : ''}.`,
    ...(options.server === 'kserve'
      ? ['**KServe** 0.15 or later with plain deployments (`RawDeployment`), and its `kserve-tritonserver` runtime.']
      : []),
  ];
}

function scalingTodos(deployed: Deployed): string[] {
  const { options, traits, sizing } = deployed;
  const metrics = options.podMonitor
    ? 'The PodMonitor needs the Prometheus operator, and one that selects it.'
    : 'Pods have `prometheus.io` annotations; with the Prometheus operator, add `--pod-monitor`.';
  if (options.autoscaler === 'keda') {
    return [
      `**Scaling.** KEDA keeps the mean time in the queue at ${sizing.queueUs} µs per request. It needs KEDA, and Prometheus at ${code(options.prometheus)} (\`--prometheus\`) with the labels \`namespace\` and \`pod\`. ${metrics}`,
    ];
  }
  if (options.autoscaler === 'hpa') {
    return [
      `**Scaling.** The autoscaler reads ${code(traits.metrics.perRequest)}, which Kubernetes does not have by itself: add the rule below to the configuration of the Prometheus adapter. ${metrics}`,
    ];
  }
  return [`**Metrics.** ${metrics}`];
}

function routingTodos({ options, name }: Deployed): string[] {
  const { router, gateway, rateLimit } = options;
  const gatewayName = gateway === undefined ? '' : code([gateway.namespace, gateway.name].filter(Boolean).join('/'));
  return [
    ...(router === 'gateway'
      ? [`**Gateway.** ${gatewayName} must exist and accept routes of this namespace (Gateway API 1.0).`]
      : []),
    ...(router === 'istio'
      ? [
          `**Istio.** The pods must be in the mesh: requests to ${code(name)} from outside of it are not split${gateway === undefined ? '' : `. The gateway ${gatewayName} must exist`}.`,
        ]
      : []),
    ...(rateLimit === undefined
      ? []
      : [
          `**Rate limit.** It is Envoy Gateway's; each of its pods counts for itself, so that the total is ${rateLimit.requests} times their number.`,
        ]),
  ];
}
