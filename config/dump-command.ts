/** How the databases of a server are saved before an instruction throws them away: a target may be the only one that has what its source lost. Pure. */

/** For a shell. `--single-transaction`: one moment of all tables, and nobody is kept from writing. */
export const dumpCommand = (engine: string, databases: readonly string[], file: string): string =>
  `${engine === 'mysql' ? 'mysqldump' : 'mariadb-dump'} --single-transaction --routines --databases ${databases.map(shellWord).join(' ')} > ${file}`;

const shellWord = (text: string): string => (/^[\w.-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
