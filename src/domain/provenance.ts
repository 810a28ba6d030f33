/** One apply, as provenance keeps it. Times are ISO, UTC. */
export interface RunRecord {
  readonly runId: string;
  readonly planId: string;
  readonly environment: string;
  readonly status: 'applied' | 'failed';
  readonly author: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  /** Snapshots of the lake before the first step and after the last. */
  readonly snapshotBefore: number;
  readonly snapshotAfter: number;
  /** Empty outside a git repository. */
  readonly gitCommit: string;
  readonly isGitDirty: boolean;
  /** Of the text of the configuration. */
  readonly configHash: string;
  /** Versions of all programs that had a part in it, by name. */
  readonly tools: Readonly<Record<string, string>>;
}

/** What a place says of its files beside their bytes; what it does not say is left out. */
export interface PlaceFacts {
  readonly doi?: string;
  /** Of all versions together. */
  readonly conceptDoi?: string;
  readonly accession?: string;
  /** As the place writes it. */
  readonly license?: string;
  readonly citation?: string;
  readonly title?: string;
}

/** What a source declares of itself, and what its place says where the declaration says nothing. */
export interface DatasetRecord {
  readonly source: string;
  readonly uri: string;
  readonly accession: string;
  readonly doi: string;
  /** Of all versions together; empty where the place has none. */
  readonly conceptDoi: string;
  /** The version that an address which moves on stands for; empty where it does not. */
  readonly resolved: string;
  readonly title: string;
  /** SPDX expression; empty where the text is none. */
  readonly license: string;
  /** As declared, or as the place writes it. */
  readonly licenseText: string;
  readonly citation: string;
  readonly homepage: string;
  readonly description: string;
}

/** Where the bytes of a raw file came from. Empty texts where its place does not say, or nothing was fetched. */
export interface Origin {
  /** Without credentials. */
  readonly url: string;
  /** After redirects. */
  readonly finalUrl: string;
  readonly etag: string;
  readonly lastModified: string;
  readonly fetchedAt: string;
  readonly sizeBytes: number;
}

/** One file of a source that is a set. */
export interface SourceFile {
  /** Within the set. */
  readonly name: string;
  /** What its place calls this version; empty where it does not say. */
  readonly placeVersion: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** Empty for files of this machine. */
  readonly url: string;
  readonly fetchedAt: string;
}

/** One source, brought into the lake by one run. */
export interface IngestionRecord extends Origin {
  readonly source: string;
  /** Of the dataset in the lake. */
  readonly version: string;
  readonly status: 'done' | 'failed' | 'skipped';
  readonly format: string;
  readonly checksumDeclared: string;
  readonly sha256: string;
  readonly rows: number | null;
  readonly elapsedMs: number;
  readonly error: string;
  /** Of a set; none of a single file. */
  readonly files: readonly SourceFile[];
  /** What was known of it then. */
  readonly dataset: DatasetRecord;
}

/** Columns of a table of a source, by name, in their order. */
export interface SchemaRecord {
  readonly source: string;
  readonly table: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

/** One model, built or tried by one run. */
export interface ModelRunRecord {
  readonly model: string;
  readonly fingerprint: string;
  readonly version: string;
  readonly status: 'done' | 'failed' | 'skipped';
  /** Null where it holds none of its own. */
  readonly rows: number | null;
  readonly elapsedMs: number;
  readonly error: string;
  readonly audits: readonly { readonly audit: string; readonly status: string; readonly rows: number }[];
}

/** All that one apply leaves in provenance; written in one transaction. */
export interface RunFacts {
  readonly run: RunRecord;
  readonly datasets: readonly DatasetRecord[];
  readonly ingestions: readonly IngestionRecord[];
  readonly schemas: readonly SchemaRecord[];
  readonly models: readonly ModelRunRecord[];
}

/** A license that a table inherits, and from which sources. */
export interface InheritedLicense {
  /** SPDX expression; empty where nobody knows. */
  readonly license: string;
  readonly text: string;
  readonly sources: readonly string[];
}

/** A raw file behind a table, with the run that brought it. Texts are empty where nobody knows. */
export interface SourceProvenance {
  readonly source: string;
  readonly version: string;
  readonly uri: string;
  readonly url: string;
  readonly finalUrl: string;
  readonly sha256: string;
  readonly checksumDeclared: string;
  readonly sizeBytes: number | null;
  readonly etag: string;
  readonly lastModified: string;
  readonly fetchedAt: string;
  readonly format: string;
  readonly accession: string;
  readonly doi: string;
  /** Of all versions together. */
  readonly conceptDoi: string;
  /** What the address stood for, where that moves on. */
  readonly resolved: string;
  readonly title: string;
  readonly license: string;
  readonly licenseText: string;
  readonly citation: string;
  readonly homepage: string;
  readonly run: string;
  /** Of a set; none of a single file. */
  readonly files: readonly SourceFile[];
  /** Columns of the source that enter the values. */
  readonly values: readonly string[];
  /** Columns of the source that decide which rows there are. */
  readonly rows: readonly string[];
}

/** A model on the way, with the run that built its table last. */
export interface ModelProvenance {
  readonly model: string;
  readonly kind: string;
  readonly file: string;
  readonly fingerprint: string;
  readonly version: string;
  readonly run: string;
  readonly rows: number | null;
  /** JSON: `[{audit, status, rows}]`; empty where none ran. */
  readonly audits: string;
  /** Its file as it was when it was built. */
  readonly text: string;
}

export interface RunProvenance {
  readonly run: string;
  readonly plan: string;
  readonly author: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly gitCommit: string;
  readonly isGitDirty: boolean;
  readonly snapshotBefore: number | null;
  readonly snapshotAfter: number | null;
  readonly tools: string;
}

/** Where a table, or one of its columns, comes from: what is built, not what the project's files say now. */
export interface Provenance {
  readonly model: string;
  readonly description: string;
  readonly column: string | undefined;
  readonly environment: string;
  readonly plan: string;
  readonly columns: readonly {
    readonly name: string;
    readonly type: string;
    readonly description: string;
    /** Columns of sources that enter its values, as `source.table.column`. */
    readonly from: readonly string[];
  }[];
  readonly sources: readonly SourceProvenance[];
  /** Parents first, the model itself last. */
  readonly models: readonly ModelProvenance[];
  readonly runs: readonly RunProvenance[];
  readonly licenses: readonly InheritedLicense[];
}
