/** What `npm run experiment` runs: a claim of a paper or a lecture, and the findings that show whether it holds here. */
export interface Experiment<F = unknown> {
  /** The name on the command line, and of the files in docs/experiments. */
  readonly name: string;
  readonly title: string;
  /** The URL of the file that trains and measures: what it imports decides the findings. */
  readonly code: string;
  /** What is claimed, with its source, in a sentence or two. */
  readonly about: string;
  /** Trains and measures; draws what it found. */
  run(session: Session): Promise<Outcome<F>>;
  /**
   * What must hold: a function of the findings alone, so that stricter claims can be made of findings that were found before.
   * @param findings as JSON gives them back
   */
  claims(findings: F): readonly Claim[];
  /**
   * The end of its section in docs/experiments.md, as Markdown: the pictures, the findings beside the published ones, and what to
   * look at.
   * @param findings as JSON gives them back
   */
  page(findings: F): string;
}

/** What an experiment found. */
export interface Outcome<F = unknown> {
  /** Everything that was measured, as JSON holds it. */
  readonly findings: F;
  /** Pictures by file name, without the experiment's name in front: SVG as text, PNG as bytes. */
  readonly pictures: Readonly<Record<string, string | Uint8Array>>;
}

/**
 * A claim that a value decides. It must be able to fail: what holds of untrained networks and of noise too says in its text that
 * it does.
 */
export interface Claim {
  /** In words, such as 'WGAN-GP covers at least 7.8 of the 8 modes (mean)'. */
  readonly text: string;
  readonly value: number;
  readonly holds: boolean;
  /** Of how many seeds the value is: other first weights, other samples. 0 where nothing was trained. */
  readonly seeds: number;
}

/** What an experiment works with. */
export interface Session {
  /** Within two minutes: fewer seeds, steps and samples. Claims need not hold then. */
  readonly quick: boolean;
  /**
   * The result of a part of the work, from the disk where an earlier, interrupted run finished that part with the same
   * settings.
   * @param key names the part, such as 'ring/wgan-gp/seed-3'
   * @param settings what decides the result: another value is another result
   */
  part<T>(key: string, settings: unknown, work: () => Promise<T>): Promise<T>;
  /** Says what is going on. */
  say(text: string): void;
}
