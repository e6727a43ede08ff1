import type { DataSource } from '../../gan/data/dataSource.ts';
import type { RunSettings } from '../../gan/runSettings.ts';
import type { System } from '../../gan/system.ts';
import type { SystemRow } from '../../gan/systems/row.ts';
import type { Claim } from '../experiment.ts';
import type { SystemResult } from './systemRun.node.ts';

/** A way of training a system: the system itself, or what it claims to need taken away. */
export interface Way<G> {
  /** The name of this way in tables and legends. */
  readonly title: string;
  /** The settings that differ from the system's defaults. */
  readonly given: G;
}

/** A system trained in several ways, with several seeds each. */
export interface Study<O extends object, S extends string, T extends System<S>, W extends string> {
  /** The name of the experiment and of the system. */
  readonly name: string;
  readonly title: string;
  readonly about: string;
  /** The URL of the file that says what is trained. */
  readonly code: string;
  readonly row: SystemRow<O, S, T>;
  /** Opens the data. @param brief of a quick run */
  open(brief: boolean): Promise<DataSource>;
  /** The ways by name; the first is the system as it is. */
  readonly ways: Readonly<Record<W, Way<Partial<O & RunSettings>>>>;
  readonly seeds: readonly number[];
  /** Settings of a quick run. */
  readonly brief: Partial<O & RunSettings>;
  /** Measurements in a training. */
  readonly looks: number;
  /** Rows or images of the pictures. */
  readonly shown?: number;
  claims(findings: StudyFindings<W>): readonly Claim[];
  page(findings: StudyFindings<W>): string;
}

/** A run of a way with one seed. */
export interface StudyRun extends Pick<SystemResult, 'steps' | 'measured' | 'controls'> {
  readonly seed: number;
}

/** What the JSON of a study holds. */
export interface StudyFindings<W extends string = string> {
  readonly data: string;
  /** The settings that all ways share, as the system's defaults and the experiment say. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** What the measures are, by name. */
  readonly measures: Readonly<Record<string, { readonly title: string; readonly better: 'higher' | 'lower' }>>;
  readonly ways: Readonly<Record<W, { readonly title: string; readonly words: string; readonly runs: StudyRun[] }>>;
}
