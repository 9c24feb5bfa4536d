/** Which execution providers work where tests run; looked at once a test file. */
import { existsSync } from 'node:fs';
import { probeProvider } from '../../src/runtime/providers.js';

export interface Support {
  readonly works: boolean;
  /** Why it does not work; empty where it does. */
  readonly reason: string;
}

/** Software Vulkan, which Chromium brings along: slow, but WebGPU as it is. */
const SWIFTSHADER = ['/usr/lib/chromium', '/opt/google/chrome'].map((folder) => `${folder}/vk_swiftshader_icd.json`);

export async function providerSupport(provider: string): Promise<Support> {
  const { works, cause = '' } = await probeProvider(provider);
  return { works, reason: cause };
}

/** WebGPU, by way of software where there is no GPU: children of this process then inherit the setting. */
export async function webgpuSupport(): Promise<Support> {
  const own = await providerSupport('webgpu');
  const driver = SWIFTSHADER.find((path) => existsSync(path));
  if (own.works || process.env.VK_ICD_FILENAMES !== undefined || driver === undefined) return own;
  process.env.VK_ICD_FILENAMES = driver;
  const soft = await providerSupport('webgpu');
  if (!soft.works) delete process.env.VK_ICD_FILENAMES;
  return soft;
}
