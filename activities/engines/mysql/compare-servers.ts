/** Whether two servers can be a pair: what only both together tell. Pure. */
import type { Finding, ServerIdentity } from '../engine.js';

const finding = (severity: Finding['severity'], check: string, found: string, fix: string): Finding => ({ severity, check, found, fix });

const isMariadb = (version: string): boolean => /mariadb/i.test(version);
function seriesOf(version: string): readonly [number, number] {
  const [, major = '0', minor = '0'] = /(\d+)\.(\d+)/.exec(version.replace(/^5\.5\.5-/, '')) ?? [];
  return [Number(major), Number(minor)];
}

/**
 * - One and the same server: `same-server`, alone.
 * - Two families: their row images differ. An error.
 * - A target of an older major version: it may not know the source's types, collations and statements; neither family supports that for its
 *   own replicas. An error. Older within the major version mostly works, and stops in sight where it doesn't: a warning.
 * - Different `lower_case_table_names`: two tables of the source could be one on the target, or a name not be found. An error.
 * - Different zones of the machines: a schema change of a session in the server's own zone, `SYSTEM`, runs so on the target too, and a TIMESTAMP
 *   that becomes a DATETIME, or a DEFAULT CURRENT_TIMESTAMP for rows that are there, gets the target's hours (MySQL manual, "Replication and Time
 *   Zones"); after a takeover NOW() would tell others. An error; a warning where sessions of the source have a named zone unless they ask.
 * - Different `character_set_collations` (MariaDB 11.3): CREATE TABLE … CHARSET=utf8mb4 would give columns of another order, and other duplicates.
 *   An error.
 */
export function compareServers(source: ServerIdentity, target: ServerIdentity): readonly Finding[] {
  if (source.server === target.server)
    return [
      finding(
        'error',
        'same-server',
        'source and target are the same server',
        'Name two different servers as source and target of the stream in srdf.yaml. If one is a copy of the other’s files, ' +
          'give it an identity of its own: remove auto.cnf (MySQL) or server_uid (MariaDB) from its data directory and start it again',
      ),
    ];
  if (isMariadb(source.version) !== isMariadb(target.version))
    return [
      finding(
        'error',
        'engine',
        `the source is ${source.version}, the target ${target.version}`,
        'Both must be MariaDB, or both MySQL: point the stream’s target in srdf.yaml at a server of the source’s kind',
      ),
    ];
  const findings: Finding[] = [];
  const [major, minor] = seriesOf(source.version);
  const [targetMajor, targetMinor] = seriesOf(target.version);
  const older = `the target is ${target.version}, older than the source, ${source.version}`;
  if (targetMajor < major) findings.push(finding('error', 'version', older, 'Upgrade the target to the source’s version or later'));
  else if (targetMajor === major && targetMinor < minor)
    findings.push(
      finding('warning', 'version', older, 'Upgrade the target: what only the newer server knows stops the stream when it is used'),
    );
  const [ours, theirs] = [target.lowerCaseTableNames, source.lowerCaseTableNames];
  if (ours !== undefined && theirs !== undefined && ours !== theirs)
    findings.push(
      finding(
        'error',
        'lower_case_table_names',
        `${theirs} at the source, ${ours} at the target: names of tables would not be the same`,
        `Create the target server anew with lower_case_table_names=${theirs}`,
      ),
    );
  return [...findings, ...compareZones(source, target), ...compareCollations(source, target)];
}

function compareZones({ systemTimeZone: theirs, timeZone }: ServerIdentity, { systemTimeZone: ours }: ServerIdentity): readonly Finding[] {
  if (ours === undefined || theirs === undefined || ours.rules === theirs.rules) return [];
  const usual = timeZone === undefined || timeZone.toUpperCase() === 'SYSTEM';
  return [
    finding(
      usual ? 'error' : 'warning',
      'system_time_zone',
      `the server’s own time zone (SYSTEM) is ${theirs.name} at the source and ${ours.name} at the target, and they tell different hours: ` +
        `schema changes in it, and NOW() after a takeover, would give other values${usual ? '' : `; sessions of the source have ${timeZone} unless they ask for SYSTEM`}`,
      'Give the target’s machine the source’s time zone (timedatectl set-timezone …, or Environment=TZ=… in the unit of its database server) and ' +
        'restart its database server',
    ),
  ];
}

function compareCollations(
  { characterSetCollations: theirs }: ServerIdentity,
  { characterSetCollations: ours }: ServerIdentity,
): readonly Finding[] {
  if (ours === undefined || theirs === undefined || ours.toLowerCase() === theirs.toLowerCase()) return [];
  return [
    finding(
      'error',
      'character_set_collations',
      `'${theirs}' at the source, '${ours}' at the target: tables created with a character set alone would get another collation`,
      `SET GLOBAL character_set_collations='${theirs}'; (and in my.cnf)`,
    ),
  ];
}
