/** Disks without a byte left, each at its turn; room comes back later. */
import type { Disk } from '../../integration/breakable.js';
import { SmallDisk } from '../../servers/small-disk.js';
import type { Fault } from '../contract.js';

const DISKS: Readonly<Record<Disk, string>> = {
  'source-state': 'the disk of the spool full',
  'target-state': 'the disk of the inbox full',
  temporal: 'the disk of Temporal’s file full',
  'source-server': 'the disk of the source database full',
  'target-server': 'the disk of the target database full',
};

export const DISK_FAULTS: readonly Fault[] = (Object.keys(DISKS) as Disk[]).map((disk) => ({
  name: DISKS[disk],
  group: 'disk',
  expected: 'goes on',
  unavailable: async () => await SmallDisk.unavailable(),
  async inflict(pair) {
    const full = pair.breakable.disk(disk);
    await full.fill();
    return async () => {
      await full.makeRoom();
      if (disk === 'source-server') await pair.source.revive();
      if (disk === 'target-server') await pair.target.revive();
    };
  },
}));
