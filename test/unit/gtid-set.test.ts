import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gtidText, MariadbGtidSet, MysqlGtidSet } from '../../activities/engines/mysql/binlog/gtid-set.js';

const UUIDS = ['00000000-0000-0000-0000-00000000000a', '00000000-0000-0000-0000-00000000000b', '00000000-0000-0000-0000-00000000000b:tag'];

describe('the text of a GTID set that a log moves on', () => {
  it('is that of the set read anew, after every transaction (MySQL)', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 12 })), { maxLength: 40 }), (added) => {
        const set = MysqlGtidSet.parse(`${UUIDS[1]}:3-4`);
        const taken: [() => string, string][] = [];
        for (const [source, sequence] of added) {
          set.add({ source: UUIDS[source] ?? '', server: 0, sequence });
          const { pieces } = set;
          expect(MysqlGtidSet.parse(set.toString()).toString()).toBe(set.toString());
          expect(set.clone().toString()).toBe(set.toString());
          expect(MysqlGtidSet.parse(set.toString()).contains({ source: UUIDS[source] ?? '', server: 0, sequence })).toBe(true);
          taken.push([() => gtidText(pieces), set.toString()]);
        }
        // What was taken stays what it was, however far the set has moved since.
        for (const [now, then] of taken) expect(now()).toBe(then);
      }),
    );
  });
  it('is that of the last transaction of each domain (MariaDB)', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(0, 2, 10), fc.integer({ min: 1, max: 2 }), fc.nat(99)), { maxLength: 30 }), (added) => {
        const set = MariadbGtidSet.parse('2-1-7');
        const last = new Map([[2, '2-1-7']]);
        const taken: [() => string, string][] = [];
        for (const [domain, server, sequence] of added) {
          set.add({ source: String(domain), server, sequence });
          last.set(domain, `${domain}-${server}-${sequence}`);
          const wanted = [...last].sort(([a], [b]) => a - b).map(([, text]) => text);
          expect(set.toString()).toBe(wanted.join(','));
          expect(set.clone().toString()).toBe(wanted.join(','));
          const { pieces } = set;
          taken.push([() => gtidText(pieces), wanted.join(',')]);
        }
        for (const [now, then] of taken) expect(now()).toBe(then);
        set.remove('2');
        last.delete(2);
        expect(set.toString()).toBe(
          [...last]
            .sort(([a], [b]) => a - b)
            .map(([, text]) => text)
            .join(','),
        );
      }),
    );
  });
});
