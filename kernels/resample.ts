import { flatMain, grid1d, memo, type Plan } from './kernel.ts';
import { type WindowKind, type Windows, windowFunctions, windowMembers, windowParams } from './window.ts';

const header = (
  kind: WindowKind,
  vector: boolean,
  from: string,
  to: string,
) => /* wgsl */ `alias T = ${vector ? 'vec4f' : 'f32'};
struct Params { n: u32, channels: u32, ${windowMembers} }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> ${from}: array<T>;
@group(0) @binding(2) var<storage, read_write> ${to}: array<T>;
${windowFunctions(kind)}`;

const forward = memo((kind: WindowKind, vector: boolean) => ({
  name: `resample.${kind}`,
  access: ['read', 'write'] as const,
  source: /* wgsl */ `// x:[N,H,W,C] -> y:[N,OH,OW,C]: the weighted sum of a window
${header(kind, vector, 'x', 'y')}
${flatMain()}
  if (i >= p.n) { return; }
  let H = axisH(); let W = axisW();
  let channels = i32(p.channels);
  let pixel = i32(i) / channels; let c = i32(i) - pixel * channels;
  let row = pixel / W.out; let ow = pixel - row * W.out;
  let n = row / H.out; let oh = row - n * H.out;
  let rows = span(oh, H); let columns = span(ow, W);
  var acc = T(0.0);
  for (var ih = rows.x; ih < rows.y; ih += rows.z) {
    let scale = weight(oh, ih, H);
    for (var iw = columns.x; iw < columns.y; iw += columns.z) {
      acc += scale * weight(ow, iw, W) * x[((n * H.size + ih) * W.size + iw) * channels + c];
    }
  }
  y[i] = acc;
}
`,
}));

const adjoint = memo((kind: WindowKind, vector: boolean) => ({
  name: `resample.${kind}.adjoint`,
  access: ['read', 'write'] as const,
  source: /* wgsl */ `// y:[N,OH,OW,C] -> x:[N,H,W,C]: each place collects from the windows that see it
${header(kind, vector, 'y', 'x')}
${flatMain()}
  if (i >= p.n) { return; }
  let H = axisH(); let W = axisW();
  let channels = i32(p.channels);
  let pixel = i32(i) / channels; let c = i32(i) - pixel * channels;
  let row = pixel / W.size; let iw = pixel - row * W.size;
  let n = row / H.size; let ih = row - n * H.size;
  let rows = cover(ih, H); let columns = cover(iw, W);
  var acc = T(0.0);
  for (var oh = rows.x; oh < rows.y; oh++) {
    let scale = weight(oh, ih, H);
    for (var ow = columns.x; ow < columns.y; ow++) {
      let share = scale * weight(ow, iw, W);
      ${kind === 'linear' ? 'if (share == 0.0) { continue; }' : ''}
      acc += share * y[((n * H.out + oh) * W.out + ow) * channels + c];
    }
  }
  x[i] = acc;
}
`,
}));

/**
 * A linear resampling of images by windows: x [N,H,W,C] to y [N,OH,OW,C], or its adjoint from y to x.
 * @param n images @param channels of each
 */
export function resample(kind: WindowKind, windows: Windows, n: number, channels: number, transposed: boolean): Plan {
  const { h, w } = windows;
  const elements = n * channels * (transposed ? h.size * w.size : h.out * w.out);
  if (elements === 0) return { dispatches: [] };
  const width = channels % 4 === 0 ? 4 : 1;
  const count = elements / width;
  return {
    dispatches: [
      {
        kernel: (transposed ? adjoint : forward)(kind, width === 4),
        args: [0, 1],
        params: [count, channels / width, ...windowParams(windows)],
        grid: grid1d(count),
      },
    ],
  };
}
