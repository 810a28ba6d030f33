import type { BoundModel, BoundProject } from '../domain/bound-project.js';
import type { SourceLocation } from '../domain/diagnostic.js';
import type { Span, TextFile } from '../domain/location.js';

/** A change of a file of the project that takes a finding away. */
export interface Fix {
  readonly file: TextFile;
  /** What is replaced, in UTF-16 units. */
  readonly span: Span;
  readonly text: string;
}

export interface Finding {
  readonly message: string;
  readonly location: SourceLocation;
  readonly hint: string;
  readonly fix?: Fix;
}

/** What rules may ask besides the model. */
export interface LintContext {
  readonly project: BoundProject;
  /** Keys of the models that have a unit test. */
  readonly testedModels: ReadonlySet<string>;
}

/** One rule of the linter. Adding one is a file, its test, and a line in `index.ts`. */
export interface LintRule {
  /** As the configuration names it, lower case. */
  readonly name: string;
  readonly code: `SL09${string}`;
  check(bound: BoundModel, context: LintContext): readonly Finding[];
}
