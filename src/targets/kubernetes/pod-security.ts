import type { YamlObject } from './metadata.js';

/** User that servers run as; both images have one of this number. */
const USER = 1000;

/** Of every container: what the restricted Pod Security Standard asks for, and a file system that is read-only. */
export const CONTAINER_SECURITY = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
} as const satisfies YamlObject;

/** Of the pod: no root, and volumes that its group can write to. */
export const POD_SECURITY = {
  runAsNonRoot: true,
  runAsUser: USER,
  runAsGroup: USER,
  fsGroup: USER,
  fsGroupChangePolicy: 'OnRootMismatch',
  seccompProfile: { type: 'RuntimeDefault' },
} as const satisfies YamlObject;
