import { defineConfig } from 'vitest/config';

/** `npx vitest run FILE` runs one file. Projects: those that run the real workers have the build checked first. */
const common = { pool: 'forks', testTimeout: 120_000, hookTimeout: 120_000 } as const;
const throughWorkers = ['test/integration/**/*.test.ts', 'test/chaos/**/*.test.ts', 'test/replay/**/*.test.ts', 'test/attack/**/*.test.ts'];

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      { test: { ...common, name: 'parts', include: ['test/**/*.test.ts'], exclude: throughWorkers } },
      { test: { ...common, name: 'whole', include: throughWorkers, globalSetup: ['test/global-setup.ts'] } },
    ],
  },
});
