import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { ERRORS } from '../../temporal/error-catalogue.js';

const FOLDER = 'workers/systemd';
const analyzed = await execa('systemd-analyze', ['--version'], { reject: false });

it.runIf(analyzed.exitCode === 0)('the units are what systemd understands', async () => {
  const units = (await readdir(FOLDER)).map((it) => join(FOLDER, it));
  expect(units).toHaveLength(2);
  const { exitCode, all } = await execa('systemd-analyze', ['verify', ...units], { all: true, reject: false });
  // It looks at the units they depend on, too.
  expect(all.split('\n').filter((it) => it.includes('srdf-'))).toEqual([]);
  expect(exitCode).toBe(0);
});

it.each(['source', 'target'])('the %s’s unit gives up where trying again can’t help, and only there', async (site) => {
  const unit = await readFile(join(FOLDER, `srdf-${site}-agent.service`), 'utf8');
  expect(unit).toContain(`main.js ${site} --config`);
  const given = /^RestartPreventExitStatus=(.+)$/m.exec(unit)?.[1]?.split(' ').map(Number) ?? [];
  expect(given).toEqual([ERRORS['config-invalid'].exit, ERRORS['key-missing'].exit]);
});
