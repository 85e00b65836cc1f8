/** All workflows as one piece of code, built once: by the build into dist/workflow-bundle.js, or when a worker starts without it. */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type WorkflowBundleOption } from '@temporalio/worker';
import { failureConverterPath } from './data-converter.js';

/** Workflows as they lie beside this file: TypeScript in the source tree, JavaScript in dist/. */
const workflowsPath = (): string =>
  fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../workflows/index.ts' : '../workflows/index.js', import.meta.url));
const prebuiltPath = (): string =>
  fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../dist/workflow-bundle.js' : '../workflow-bundle.js', import.meta.url));

interface BundleLog {
  info(message: string): void;
}

const bundle = async (log: BundleLog) => {
  const logger = {
    log: () => undefined,
    trace: () => undefined,
    debug: () => undefined,
    info: (message: string) => log.info(message),
    warn: (message: string) => log.info(message),
    error: (message: string) => log.info(message),
  };
  return await bundleWorkflowCode({ workflowsPath: workflowsPath(), failureConverterPath: failureConverterPath(), logger });
};

/** For the build: writes the bundle to `out`, by default where the workers of dist/ look for it. */
export async function bundleWorkflows(out: string = prebuiltPath(), log: BundleLog = { info: () => undefined }): Promise<void> {
  const { code } = await bundle(log);
  await mkdir(dirname(out), { recursive: true });
  await writeFile(out, code);
}

/** The prebuilt bundle where there is one, else one made now (two seconds). From the source tree always made now: it is never stale. */
export async function workflowBundle(log: BundleLog): Promise<WorkflowBundleOption> {
  const prebuilt = prebuiltPath();
  if (!import.meta.url.endsWith('.ts') && existsSync(prebuilt)) return { codePath: prebuilt };
  return await bundle(log);
}
