/** Which folder serves which engine. A new family is a folder beside `mysql/` and a line in each of these two. */
import type { EngineName, SourceEngine, SourceEngineOptions, TargetEngine, TargetEngineOptions } from './engine.js';
import { createSourceEngine } from './mysql/source.js';
import { createTargetEngine } from './mysql/target.js';

const SOURCES: Readonly<Record<EngineName, (options: SourceEngineOptions) => SourceEngine>> = {
  mariadb: createSourceEngine,
  mysql: createSourceEngine,
};
const TARGETS: Readonly<Record<EngineName, (options: TargetEngineOptions) => TargetEngine>> = {
  mariadb: createTargetEngine,
  mysql: createTargetEngine,
};

export const openSourceEngine = (options: SourceEngineOptions): SourceEngine => SOURCES[options.name](options);
export const openTargetEngine = (options: TargetEngineOptions): TargetEngine => TARGETS[options.name](options);
