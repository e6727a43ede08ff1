/** A point of a curve. Points with a coordinate that is not finite, or that a logarithmic axis cannot show, are left out. */
export type PlotPoint = readonly [x: number, y: number];

/** An axis of a panel. */
export interface PlotAxis {
  /** What it measures, with the unit. */
  readonly label?: string;
  /** Logarithmic, to base 10: values of zero and below are left out. */
  readonly log?: boolean;
  /** First value of the axis; from the data unless given. */
  readonly min?: number;
  /** Last value of the axis; from the data unless given. */
  readonly max?: number;
  /** Names along a horizontal axis, for bars: value i stands over name i. */
  readonly categories?: readonly string[];
}

/** What every kind of series has. */
export interface SeriesBase {
  /** Its name in the legend. Series of a panel with the same label share a colour and an entry; '' has none. */
  readonly label: string;
  /** Place in the palette, 0 to 7 (then from the start again), or 'grey'; the order of labels in the panel unless given. */
  readonly color?: number | 'grey';
  /** Measured by the panel's right axis, `y2`. */
  readonly right?: boolean;
}

/** A curve through points, in the order given. */
export interface LineSeries extends SeriesBase {
  /** Tells the series apart. */
  readonly kind: 'line';
  /** In data units. */
  readonly points: readonly PlotPoint[];
  /**
   * Share of the points, above 0 to 1, over which a centred moving mean is taken: the mean is bold, the raw values stay,
   * faint. None unless given.
   */
  readonly smooth?: number;
  /** Marks each point. */
  readonly markers?: boolean;
  /** How the line is drawn; solid unless given. */
  readonly dash?: 'solid' | 'dashed' | 'dotted';
  /** Fills the area down to the axis, as for a density. */
  readonly fill?: boolean;
}

/** An area between two curves, such as the least and the greatest of several runs. */
export interface BandSeries extends SeriesBase {
  /** Tells the series apart. */
  readonly kind: 'band';
  /** In the order of x. */
  readonly points: readonly (readonly [x: number, low: number, high: number])[];
}

/** Points by themselves. */
export interface ScatterSeries extends SeriesBase {
  /** Tells the series apart. */
  readonly kind: 'scatter';
  /** In data units. */
  readonly points: readonly PlotPoint[];
  /** Diameter in pixels; 6 unless given. */
  readonly size?: number;
}

/** Bars over the names of the horizontal axis, from zero, with the ends of their error whiskers where they are given. */
export interface BarSeries extends SeriesBase {
  /** Tells the series apart. */
  readonly kind: 'bars';
  /** One for each name; NaN for none. */
  readonly values: readonly number[];
  /** Lower ends of the whiskers. */
  readonly low?: readonly number[];
  /** Upper ends of the whiskers. */
  readonly high?: readonly number[];
}

/** Counts (or densities) between edges, as {@link histogram} gives them. */
export interface HistogramSeries extends SeriesBase {
  /** Tells the series apart. */
  readonly kind: 'histogram';
  /** One more than `counts`, rising. */
  readonly edges: ArrayLike<number>;
  /** One for each interval. */
  readonly counts: ArrayLike<number>;
}

/** A dashed horizontal line across the panel, such as a published figure or a value from theory. */
export interface LevelSeries extends SeriesBase {
  /** Tells the series apart. */
  readonly kind: 'level';
  /** Its height on the axis. */
  readonly at: number;
}

/** Whatever a panel shows. */
export type PlotSeries = LineSeries | BandSeries | ScatterSeries | BarSeries | HistogramSeries | LevelSeries;

/** One pair of axes with what is drawn on it. */
export interface PlotPanel {
  /** In bold above; none unless given. */
  readonly title?: string;
  /** The horizontal axis. */
  readonly x?: PlotAxis;
  /** The vertical axis. */
  readonly y?: PlotAxis;
  /** A second vertical axis, on the right, for series with `right`. */
  readonly y2?: PlotAxis;
  /** Drawn in this order, the last on top. */
  readonly series: readonly PlotSeries[];
  /** Height of the drawing area in pixels; 180 unless given. */
  readonly height?: number;
  /** The same scale along both axes, in a square: for points of the plane. Replaces `height`, `min` and `max`. */
  readonly square?: boolean;
}

/** What `plot` draws. */
export interface PlotOptions {
  /** In bold above; none unless given. */
  readonly title?: string;
  /** A line under the title, such as the run's settings. */
  readonly subtitle?: string;
  /** Row by row. Panels, and series, without a number that can be shown are left out. */
  readonly panels: readonly PlotPanel[];
  /** Panels in a row; 1 unless given. */
  readonly columns?: number;
  /** The width of the whole picture in pixels; 900 unless given. */
  readonly width?: number;
}
