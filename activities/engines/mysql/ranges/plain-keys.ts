/** The keys of a table that nothing depends on while rows are loaded into it, out of what SHOW CREATE TABLE tells. Pure. */

export interface PlainKey {
  readonly name: string;
  /** As it follows ADD in ALTER TABLE. */
  readonly definition: string;
}

/**
 * Empty unless the table can do without: an engine that builds keys by sorting, no foreign key that stands on them, no AUTO_INCREMENT column
 * that needs one of them, no SPATIAL key, whose place among the others would change.
 * Unique keys are never among them: rows that are loaded replace what stands in their way.
 */
export function keysToPutOff(definition: string): readonly PlainKey[] {
  const lines = definition.split('\n');
  const options = lines.slice(lines.findLastIndex((line) => line.startsWith(')'))).join(' ');
  if (!/\bENGINE=InnoDB\b/.test(options)) return [];
  if (lines.some((line) => /^ {2}(CONSTRAINT .* FOREIGN KEY|FOREIGN KEY|SPATIAL KEY) /.test(line))) return [];
  const counting = lines.find((line) => /^ {2}`.*\bAUTO_INCREMENT\b/i.test(line));
  if (counting !== undefined) {
    const column = nameAt(counting, 2);
    if (column === null || !lines.some((line) => line.startsWith(`  PRIMARY KEY (${quoted(column)}`))) return [];
  }
  return lines.flatMap((line) => {
    if (!line.startsWith('  KEY `')) return [];
    const name = nameAt(line, '  KEY '.length);
    return name === null ? [] : [{ name, definition: line.trim().replace(/,$/, '') }];
  });
}

const quoted = (name: string): string => `\`${name.replaceAll('`', '``')}\``;
function nameAt(line: string, at: number): string | null {
  const [, name] = /^`((?:[^`]|``)+)`/.exec(line.slice(at)) ?? [];
  return name?.replaceAll('``', '`') ?? null;
}
