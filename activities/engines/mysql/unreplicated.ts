/** What isn't replicated, and what to do about it: in the same words whether the preflight finds it or the reader meets it later. Pure. */
import type { TableName } from '../../vocabulary.js';
import { nameOf, quoteTable } from './ranges/sql-literals.js';

export const versionedFound = (table: TableName): string =>
  `${nameOf(table)} keeps its history (SYSTEM VERSIONING), which is not replicated exactly`;
export const versionedFix = (table: TableName): string =>
  `ALTER TABLE ${quoteTable(table)} DROP SYSTEM VERSIONING, if nobody needs the history of its rows, which is thrown away; or exclude the table`;

export const parentFix = (child: TableName, parent: TableName): string =>
  `Replicate ${nameOf(parent)} as well, exclude ${nameOf(child)}, or drop the foreign key: ALTER TABLE ${quoteTable(child)} DROP FOREIGN KEY its name (SHOW CREATE TABLE tells it)`;
