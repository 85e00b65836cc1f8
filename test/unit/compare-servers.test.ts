import { describe, expect, it } from 'vitest';
import type { ServerIdentity } from '../../activities/engines/engine.js';
import { compareServers } from '../../activities/engines/mysql/compare-servers.js';

const server = (version: string, lowerCaseTableNames?: number, name = version): ServerIdentity => ({
  server: name,
  version,
  lowerCaseTableNames,
});
const found = (source: ServerIdentity, target: ServerIdentity) =>
  compareServers(source, target).map(({ severity, check }) => `${severity} ${check}`);

describe('two servers are a pair', () => {
  it.each([
    ['10.11.6-MariaDB-log', '10.11.6-MariaDB'],
    ['10.6.18-MariaDB', '11.4.2-MariaDB'],
    ['8.0.36', '8.4.0'],
    ['8.4.0', '9.7.0'],
  ])('%s → %s', (source, target) => {
    expect(found(server(source, 0, 'a'), server(target, 0, 'b'))).toEqual([]);
  });
});

describe('two servers are no pair', () => {
  it('when they are one, whatever else', () => {
    expect(found(server('8.4.0', 0, 'a'), server('8.0.1', 1, 'a'))).toEqual(['error same-server']);
  });
  it.each([
    ['8.0.36', '10.11.6-MariaDB', 'error engine'],
    ['5.5.5-10.11.6-MariaDB', '8.4.0', 'error engine'],
    ['11.4.2-MariaDB', '10.11.6-MariaDB', 'error version'],
    ['9.0.0', '8.4.5', 'error version'],
    ['8.4.0', '8.0.41', 'warning version'],
    ['10.11.1-MariaDB', '10.6.20-MariaDB', 'warning version'],
  ])('%s → %s: %s', (source, target, expected) => {
    expect(found(server(source, 0, 'a'), server(target, 0, 'b'))).toEqual([expected]);
  });
  it('when table names mean different things', () => {
    expect(found(server('8.4.0', 0, 'a'), server('8.4.0', 1, 'b'))).toEqual(['error lower_case_table_names']);
  });
});

describe("the zones of the servers' machines", () => {
  const zoned = (name: string, rules: string, timeZone?: string): ServerIdentity => ({
    ...server('8.4.0', 0, `${name} ${rules}`),
    timeZone,
    systemTimeZone: { name, rules },
  });
  it('are compared by what they tell, not by their names', () => {
    expect(compareServers(zoned('UTC', 'a', 'SYSTEM'), { ...zoned('Etc/UTC', 'a', 'SYSTEM'), server: 'b' })).toEqual([]);
    expect(found(zoned('CST', 'a', 'SYSTEM'), zoned('CST', 'b', 'SYSTEM'))).toEqual(['error system_time_zone']);
  });
  it('are named, with what to do', () => {
    const [finding] = compareServers(zoned('CET', 'a', 'SYSTEM'), zoned('EST', 'b', '+00:00'));
    expect(finding?.found).toContain('CET at the source and EST at the target');
    expect(finding?.fix).toContain('timedatectl set-timezone');
  });
  it('matter less where the source’s sessions have another', () => {
    expect(found(zoned('CET', 'a', '+00:00'), zoned('EST', 'b', 'SYSTEM'))).toEqual(['warning system_time_zone']);
  });
  it('are left alone where a site of an older version doesn’t tell', () => {
    expect(found(server('8.4.0', 0, 'a'), zoned('EST', 'b', 'SYSTEM'))).toEqual([]);
    expect(found(zoned('EST', 'b', 'SYSTEM'), server('8.4.0', 0, 'a'))).toEqual([]);
  });
});

describe('the collations that character sets stand for', () => {
  const UCA = 'utf8mb3=utf8mb3_uca1400_ai_ci,utf8mb4=utf8mb4_uca1400_ai_ci';
  const collated = (version: string, characterSetCollations?: string): ServerIdentity => ({ ...server(version), characterSetCollations });
  it.each([
    ['10.11.6-MariaDB', '', '11.8.2-MariaDB', UCA],
    ['11.8.2-MariaDB', UCA, '11.8.3-MariaDB', 'utf8mb4=utf8mb4_general_ci'],
  ])('%s %j, %s %j: refused, with the statement that mends it', (source, theirs, target, ours) => {
    const findings = compareServers(collated(source, theirs), collated(target, ours));
    expect(findings.map(({ severity, check }) => `${severity} ${check}`)).toEqual(['error character_set_collations']);
    expect(findings[0]?.fix.split(';')[0]).toBe(`SET GLOBAL character_set_collations='${theirs}'`);
  });
  it('are a pair when they are the same, whatever the case, and where a server has or tells none', () => {
    expect(found(collated('11.8.2-MariaDB', UCA), collated('11.8.3-MariaDB', UCA.toUpperCase()))).toEqual([]);
    expect(found(collated('10.11.2-MariaDB', ''), collated('11.2.3-MariaDB', ''))).toEqual([]);
    expect(found(collated('8.4.1'), collated('8.4.2'))).toEqual([]);
    expect(found(collated('11.8.2-MariaDB', UCA), collated('11.8.3-MariaDB'))).toEqual([]);
  });
});
