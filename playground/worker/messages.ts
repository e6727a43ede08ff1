/** What page and worker say to each other: plain data, with arrays handed over. */
import type { Convolution, Convolved } from '../convolution/convolution.ts';
import type { Setup } from '../setup/setup.ts';
import type { Recording, Subject } from '../tape/subjects.ts';
import type { Look, Wanted } from '../trial/look.ts';
import type { Half, Values } from '../trial/trial.ts';

/** What the page asks of the worker. */
export type Request =
  /** Opens a device, once; 'reference' needs no GPU. */
  | { readonly kind: 'open'; readonly device: string | undefined }
  /** A new trial. */
  | { readonly kind: 'begin'; readonly setup: Setup }
  /** Other settings of the trial under way. */
  | { readonly kind: 'change'; readonly setup: Setup }
  /** Trains until told otherwise, or until that step. */
  | { readonly kind: 'run'; readonly half: Half; readonly until: number | undefined; readonly pause: number }
  | { readonly kind: 'stop' }
  /** One step or half step. */
  | { readonly kind: 'step'; readonly half: Half }
  /** Goes to the last kept state at or before a step. */
  | { readonly kind: 'back'; readonly step: number }
  /** What is drawn from now on. */
  | { readonly kind: 'want'; readonly wanted: Wanted }
  /** Records a scalar's tape. */
  | { readonly kind: 'tape'; readonly subject: Subject }
  /** Computes a convolution and its transpose. */
  | { readonly kind: 'convolve'; readonly convolution: Convolution }
  /** The last look has been drawn: another may come. */
  | { readonly kind: 'drawn' };

/** Numbers of a step, or of a half of one that follows it. */
export interface Row {
  readonly step: number;
  readonly half: Half;
  readonly values: Values;
}

/** What the worker tells the page. */
export type Report =
  /** A device is open. */
  | {
      readonly kind: 'ready';
      readonly device: string;
      readonly reference: boolean;
      readonly because: string | undefined;
    }
  /** A trial has begun, or was changed or put back: what comes is of this number. */
  | {
      readonly kind: 'begun';
      readonly trial: number;
      readonly step: number;
      readonly parameters: { readonly critic: number; readonly generator: number };
    }
  | { readonly kind: 'rows'; readonly trial: number; readonly rows: readonly Row[]; readonly speed: number | undefined }
  | { readonly kind: 'look'; readonly trial: number; readonly look: Look }
  /** The steps to which the trial can go back. */
  | { readonly kind: 'kept'; readonly trial: number; readonly steps: readonly number[] }
  | { readonly kind: 'stopped'; readonly trial: number; readonly step: number }
  | { readonly kind: 'tape'; readonly recording: Recording }
  | { readonly kind: 'convolved'; readonly convolved: Convolved }
  /** Something could not be done; the trial stays as it was. */
  | { readonly kind: 'failed'; readonly message: string };
