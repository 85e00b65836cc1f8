/** The schedule of a stream's cycles on a real server: what an operator does to it, and what is left as it was. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cycleScheduleId } from '../../temporal/ids.js';
import { deleteCycleSchedule, ensureCycleSchedule, pauseCycles, triggerCycle, unpauseCycles } from '../../temporal/schedules.js';
import { TemporalEnvironment } from './temporal-environment.js';

let environment: TemporalEnvironment;
beforeAll(async () => {
  environment = await TemporalEnvironment.start();
});
afterAll(async () => await environment?.stop());

describe("a stream's schedule", () => {
  it('runs one cycle at a time, catches nothing up, and is never paused by a failure', async () => {
    const { client } = environment.temporal;
    const { route } = environment.newSites();
    const handle = await ensureCycleSchedule(client, route, { every: 30_000 });
    const { spec, policies, state, action } = await handle.describe();
    expect(spec.intervals).toMatchObject([{ every: 30_000 }]);
    expect(policies).toMatchObject({ overlap: 'SKIP', catchupWindow: 60_000, pauseOnFailure: false });
    expect(state.paused).toBe(false);
    expect(action).toMatchObject({ workflowType: 'replicationCycle', taskQueue: `srdf-control-${route.pair}`, args: [{ route }] });
    await deleteCycleSchedule(client, route);
  });

  it('takes a new interval and stays paused through it', async () => {
    const { client } = environment.temporal;
    const { route } = environment.newSites();
    const handle = await ensureCycleSchedule(client, route, { every: 3_600_000 });
    await pauseCycles(client, route, 'disk is being changed');
    await ensureCycleSchedule(client, route, { every: 1_800_000 });
    const paused = await handle.describe();
    expect(paused.spec.intervals).toMatchObject([{ every: 1_800_000 }]);
    expect(paused.state).toMatchObject({ paused: true, note: 'disk is being changed' });
    await unpauseCycles(client, route, 'disk is changed');
    expect((await handle.describe()).state.paused).toBe(false);
    await deleteCycleSchedule(client, route);
  });

  it('starts a cycle out of turn, and is gone once deleted', async () => {
    const { client } = environment.temporal;
    const { route } = environment.newSites();
    const handle = await ensureCycleSchedule(client, route, { every: 3_600_000 });
    await triggerCycle(client, route);
    const started = async () => (await handle.describe()).info.runningActions.map((run) => run.workflow.workflowId);
    await expect.poll(started, { timeout: 20_000 }).toEqual([expect.stringContaining(cycleScheduleId(route))]);
    for (const workflowId of await started()) await client.workflow.getHandle(workflowId).terminate();
    expect(await deleteCycleSchedule(client, route)).toBe(true);
    expect(await deleteCycleSchedule(client, route)).toBe(false);
  });
});
