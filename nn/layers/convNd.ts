/** What convolutions of sequences, images and volumes, and their transposes, have in common. */
import { pad, ShapeError, scope, sizeOf, type Tensor } from '../../engine/index.ts';
import { checked, checkRange, defined, ranges } from '../../engine/internal.ts';
import { fanInUniform, layerGenerator } from '../init.ts';
import { guardForward } from '../module/guardForward.ts';
import { Module } from '../module/module.ts';
import { filled, type Parameter } from '../module/parameter.ts';
import { channelsFirst, type PyTorchRule } from '../module/pyTorchRule.ts';
import { WEIGHT_OPTIONS, type WeightOptions } from './linear.ts';

/** One number for all spatial axes, or one for each. */
type Spatial = number | readonly number[];

/** The options of any of the engine's convolutions. */
interface ConvOptions {
  readonly stride?: Spatial;
  readonly padding?: Spatial | 'same' | 'valid';
  readonly dilation?: Spatial;
  readonly groups?: number;
  readonly outputPadding?: Spatial;
}

/** What a convolution puts around its input: zeros, or the input itself; see `pad`. */
export type PaddingMode = 'zeros' | 'reflect' | 'replicate' | 'circular';

/** What a convolution layer takes beside the engine's options. */
export interface ConvLayerOptions extends WeightOptions {
  /**
   * What the padding is made of: zeros (the default), the input mirrored at its edge ('reflect'), the edge ('replicate'), or the
   * input's other end ('circular').
   */
  readonly paddingMode?: PaddingMode;
}

/** Axes of x between batch and channels, by their number. */
const AXES = ['', 'L', 'H,W', 'D,H,W'];
const LAYER_OPTIONS = ['stride', 'padding', 'dilation', 'groups', ...WEIGHT_OPTIONS] as const;
const MODES: readonly string[] = ['zeros', 'reflect', 'replicate', 'circular'] satisfies PaddingMode[];

/** Sizes and weights of a convolution or of the transpose of one. */
abstract class Convolution<O extends ConvOptions> extends Module {
  /** [...kernelSize, in/groups, out]; of a transposed convolution [...kernelSize, out/groups, in]. */
  readonly weight: Parameter;
  /** [out], or undefined without one. */
  readonly bias: Parameter | undefined;
  /** Channels of the input. */
  readonly inChannels: number;
  /** Channels of the output. */
  readonly outChannels: number;
  /** One size for each spatial axis. */
  readonly kernelSize: readonly number[];
  /** Channels are split into so many independent convolutions. */
  readonly groups: number;
  /** Stride, padding, dilation and groups, as they were given. */
  readonly options: O;

  protected constructor(
    axes: number,
    channels: readonly [inChannels: number, outChannels: number],
    kernel: Spatial,
    conv: O,
    { bias = true, init = fanInUniform, initBias = fanInUniform, rng = layerGenerator() }: WeightOptions,
    transposed: boolean,
  ) {
    super();
    const [inChannels, outChannels] = channels;
    const { groups = 1, stride = 1, padding = 0, dilation = 1, outputPadding = 0 } = conv;
    this.kernelSize = this.sizes('kernel', kernel, axes, 1);
    this.sizes('channels', channels, 2, 1);
    this.sizes('groups', groups, 1, 1);
    const steps = this.sizes('stride', stride, axes, 1);
    const apart = this.sizes('dilation', dilation, axes, 1);
    if (typeof padding !== 'string') this.sizes('padding', padding, axes, 0);
    const extra = this.sizes('outputPadding', outputPadding, axes, 0);
    if (extra.some((e, i) => e > 0 && e >= Math.max(steps[i]!, apart[i]!))) {
      throw new ShapeError(
        `${this.constructor.name}: outputPadding ${extra} must be less than the stride ${steps} or the dilation ${apart}: it chooses among the sizes that the convolution maps to one`,
      );
    }
    if (channels.some((c) => c % groups !== 0)) {
      throw new ShapeError(
        `${this.constructor.name}: ${inChannels} channels in and ${outChannels} out do not split into ${groups} groups; choose groups that divide both`,
      );
    }
    this.inChannels = inChannels;
    this.outChannels = outChannels;
    this.groups = groups;
    this.options = conv;
    const last = transposed ? [outChannels / groups, inChannels] : [inChannels / groups, outChannels];
    const taps = sizeOf(this.kernelSize);
    // PyTorch counts a transposed convolution's fan-in over its outputs.
    const fans = { fanIn: taps * last[0]!, fanOut: taps * last[1]! };
    this.weight = filled(new.target.name, 'weight', init, [[...this.kernelSize, ...last], fans, rng]);
    this.bias = bias ? filled(new.target.name, 'bias', initBias, [[outChannels], fans, rng]) : undefined;
  }

  /** @throws ShapeError unless x is [N, ..., in] with as many axes as the kernel has, and the kernel fits */
  override forward(x: Tensor): Tensor {
    const { inChannels, kernelSize, bias } = this;
    if (x.rank !== kernelSize.length + 2 || x.shape.at(-1) !== inChannels) {
      const axes = AXES[kernelSize.length];
      throw new ShapeError(
        `${this.constructor.name}: x [${x.shape}] must be [N,${axes},${inChannels}]: channels come last, and the layer was made for ${inChannels}; permute PyTorch's [N,C,${axes}]`,
      );
    }
    return scope(() => {
      const y = this.convolve(x);
      return bias ? y.add(bias) : y;
    });
  }

  /** Sizes, and the options that are not as usual. */
  override describe(): string {
    const { options, kernelSize, bias } = this;
    const { stride = 1, padding = 0, dilation = 1, groups = 1, outputPadding = 0 } = options;
    const unless = (name: string, v: Spatial | string, usual: number): string => {
      const all = typeof v === 'object' && v.every((e) => e === v[0]) ? v[0]! : v;
      return all === usual ? '' : `${name} ${typeof all === 'object' ? all.join('x') : all}`;
    };
    const parts = [unless('stride', stride, 1), unless('padding', padding, 0), unless('dilation', dilation, 1)];
    parts.push(unless('groups', groups, 1), unless('output padding', outputPadding, 0), bias ? '' : 'no bias');
    const sizes = `${this.inChannels}, ${this.outChannels}, kernel ${kernelSize.join('x')}`;
    return [sizes, ...parts].filter(Boolean).join(', ');
  }

  override pyTorchRule(): PyTorchRule {
    return { axes: { weight: channelsFirst(this.kernelSize.length + 2) } };
  }

  /** The convolution itself, without the bias. @internal */
  protected abstract convolve(x: Tensor): Tensor;

  /** The numbers of an option, one for each of n axes. @throws ShapeError unless they are whole and not too small @internal */
  protected sizes(name: string, given: Spatial, n: number, least: number): readonly number[] {
    const list = typeof given === 'number' ? Array<number>(n).fill(given) : given;
    if (list.length !== n || !list.every((v) => Number.isInteger(v) && v >= least)) {
      throw new ShapeError(
        `${this.constructor.name}: ${name} must be ${n === 1 ? 'a whole number' : `${n} whole numbers`}, ${least} or more, not ${JSON.stringify(given)}`,
      );
    }
    return list;
  }
}

/** A convolution of any number of spatial axes. */
export abstract class ConvNd<O extends ConvOptions> extends Convolution<O> {
  /** What the padding is made of. */
  readonly paddingMode: PaddingMode;
  /** Elements before and after each axis of x, where they are not zeros. */
  private readonly around: readonly (readonly [number, number])[] | undefined;

  /** @param options those of the engine's op together with the layer's */
  protected constructor(
    axes: number,
    inChannels: number,
    outChannels: number,
    kernel: Spatial,
    options: O & ConvLayerOptions,
  ) {
    checked<ConvOptions & ConvLayerOptions>(new.target.name, options, [...LAYER_OPTIONS, 'paddingMode']);
    const { paddingMode = 'zeros', bias, init, initBias, rng, ...conv } = options;
    super(axes, [inChannels, outChannels], kernel, conv as unknown as O, defined({ bias, init, initBias, rng }), false);
    checkRange(new.target.name, 'paddingMode', ranges.oneOf(MODES), paddingMode);
    const { padding = 0 } = conv;
    if (typeof padding === 'string' && padding !== 'same' && padding !== 'valid') {
      throw new TypeError(
        `${new.target.name}: padding is a number, one for each axis, 'same' or 'valid', not '${padding}'`,
      );
    }
    this.paddingMode = paddingMode;
    this.around = paddingMode === 'zeros' ? undefined : [[0, 0], ...this.padsOf(options)];
  }

  /** The axis of the weight along which the outputs lie. */
  get unitAxis(): number {
    return -1;
  }

  /** Sizes, and the options that are not as usual. */
  override describe(): string {
    return `${super.describe()}${this.paddingMode === 'zeros' ? '' : `, padding mode ${this.paddingMode}`}`;
  }

  /** @internal */
  protected override convolve(x: Tensor): Tensor {
    const { around, options, paddingMode } = this;
    if (!around || paddingMode === 'zeros') return this.run(x, this.weight, options);
    return this.run(pad(x, around, { mode: paddingMode }), this.weight, { ...options, padding: 0 });
  }

  /** The engine's op. @internal */
  protected abstract run(x: Tensor, w: Tensor, options: O): Tensor;

  private padsOf({ stride = 1, padding = 0, dilation = 1 }: ConvOptions): (readonly [number, number])[] {
    const axes = this.kernelSize.length;
    if (padding !== 'same') {
      return this.sizes('padding', padding === 'valid' ? 0 : (padding as Spatial), axes, 0).map((p) => [p, p]);
    }
    if (this.sizes('stride', stride, axes, 1).some((s) => s !== 1)) {
      throw new ShapeError(
        `${this.constructor.name}: padding 'same' with paddingMode '${this.paddingMode}' needs stride 1, not ${stride}; give the padding in numbers`,
      );
    }
    return this.sizes('dilation', dilation, axes, 1).map((d, i) => {
      const total = d * (this.kernelSize[i]! - 1);
      const before = Math.floor(total / 2);
      return [before, total - before];
    });
  }
}

/** The transpose of a convolution of any number of spatial axes. */
export abstract class ConvTransposeNd<O extends ConvOptions> extends Convolution<O> {
  /** @param options those of the engine's op together with the layer's */
  protected constructor(
    axes: number,
    inChannels: number,
    outChannels: number,
    kernel: Spatial,
    options: O & WeightOptions,
  ) {
    checked<ConvOptions & WeightOptions>(new.target.name, options, [...LAYER_OPTIONS, 'outputPadding']);
    const { bias, init, initBias, rng, ...conv } = options;
    super(axes, [inChannels, outChannels], kernel, conv as unknown as O, defined({ bias, init, initBias, rng }), true);
    if (typeof conv.padding === 'string') {
      throw new TypeError(`${new.target.name}: padding is a number or one for each axis, not '${conv.padding}'`);
    }
  }

  /** The axis of the weight along which the outputs lie. */
  get unitAxis(): number {
    return -2;
  }

  /** @internal */
  protected override convolve(y: Tensor): Tensor {
    return this.run(y, this.weight, this.options);
  }

  /** The engine's op. @internal */
  protected abstract run(y: Tensor, w: Tensor, options: O): Tensor;
}

guardForward(Convolution);
