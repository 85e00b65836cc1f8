/** Before tests that run the real workers: dist/ is what the sources say, and the Temporal server is there once, not fetched by each test. */
import { execa } from 'execa';
import { findTemporalServer } from '../temporal/server-binary.js';

export default async function setup(): Promise<void> {
  await execa('node', ['scripts/setup.mjs', '--tests'], { stdio: ['ignore', 'inherit', 'inherit'] });
  await findTemporalServer();
}
