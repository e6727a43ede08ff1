/**
 * Sorts the API reference by family: a name's category is that of the file that declares it, unless its docstring has a
 * `@category` of its own. A method of Tensor stands with the function of the same name, and links to it.
 */
import { Application, CommentTag, Converter, ReflectionKind } from 'typedoc';

/** Categories in the order of the index, each with its files (a folder ends with a slash). */
const FAMILIES = {
  'Tensors and memory': 'engine/tensor/ engine/ops/create engine/ops/createLike engine/ops/sequences',
  Devices: 'engine/init engine/adapters engine/device engine/webgpu/ engine/reference/',
  Gradients: 'engine/autograd/',
  'Compiled steps': 'engine/compile/',
  'Looking inside and checking':
    'engine/tape/ engine/autograd/anomaly engine/autograd/gradcheck engine/autograd/convMatrix',
  'Ops of your own': 'engine/custom/ kernels/kernel',
  Arithmetic: 'engine/ops/define engine/ops/elementwise engine/ops/arithmetic engine/ops/unary',
  'Comparison and choice': 'engine/ops/comparison',
  Activations: 'engine/ops/activations engine/ops/softmax',
  Reductions: 'engine/ops/reduce engine/ops/norms engine/ops/extrema',
  'Scans and sorting': 'engine/ops/scan engine/ops/sort',
  'Shapes and movement': 'engine/ops/movement engine/ops/shapes engine/ops/pad',
  Indexing: 'engine/ops/indexing',
  'Linear algebra': 'engine/ops/matmul engine/ops/linalg engine/ops/einsum engine/ops/cholesky engine/ops/qrEigh',
  Convolution: 'engine/ops/conv engine/ops/conv1d engine/ops/conv3d',
  'Pooling and resampling': 'engine/ops/pool engine/ops/resize engine/ops/gridSample',
  'Normalisation and attention': 'engine/ops/normalization engine/ops/groupNorm engine/ops/attention',
  Losses: 'engine/ops/losses engine/ops/binaryLosses nn/losses/',
  'Random numbers': 'engine/rng engine/ops/dropout',
  'Optimizer steps': 'engine/ops/optim kernels/optimizer/',
  'Errors and options': 'engine/errors engine/arguments/',
  Modules: 'nn/module/',
  Layers: 'nn/layers/',
  Optimizers: 'nn/optim/',
  Initialisers: 'nn/init',
  'ONNX export': 'nn/onnx/',
  'Data sets and loaders': 'nn/data/',
  Checkpoints: 'nn/io/checkpoint nn/io/checkpoint.node nn/io/stateful',
  'Files of weights': 'nn/io/',
  Training: 'gan/ gan/objectives/ gan/systems/',
  Networks: 'gan/networks/',
  'Divergences and optimal transport': 'gan/transport/',
  Sampling: 'gan/sampling/ gan/pictures/labels cli/pages/animation.node gan/pictures/points.node',
  Metrics: 'gan/metrics/',
  'Plots and pages': 'gan/pictures/plot.node gan/pictures/plotTypes gan/pictures/plotData cli/pages/',
  'Data and images': 'gan/data/ gan/pictures/',
  'Run folders': 'cli/run/',
};

const METHODS = 'engine/tensor/methodTypes.ts';

function categoryOf(path) {
  const fits = (entry) => (entry.endsWith('/') ? path.startsWith(entry) : path === `${entry}.ts`);
  const found = Object.entries(FAMILIES)
    .flatMap(([family, files]) => files.split(' ').map((entry) => ({ family, entry })))
    .filter(({ entry }) => fits(entry))
    .sort((a, b) => b.entry.length - a.entry.length); // a file's own entry before its folder's
  if (found.length === 0) throw new Error(`docs/typedoc.js: ${path} belongs to no family; add it to one`);
  return found[0].family;
}

/** A name's docstring: with a function it is the signature's. One that says nothing is left as it is, for TypeDoc to refuse. */
const commentOf = (reflection) => {
  const comment = reflection.signatures?.[0]?.comment ?? reflection.getSignature?.comment ?? reflection.comment;
  return comment?.hasVisibleComponent() ? comment : undefined;
};

const tagOf = (comment) => comment.blockTags.find((t) => t.tag === '@category');

export function load(app) {
  // Before that, the options of typedoc.json would replace it.
  app.on(Application.EVENT_BOOTSTRAP_END, () => {
    app.options.setValue('categoryOrder', ['This tensor', ...Object.keys(FAMILIES)]);
  });
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    const pathOf = (reflection) => project.getSymbolIdFromReflection(reflection)?.packagePath;
    const categories = new Map();
    const put = (comment, category) => {
      if (!tagOf(comment)) comment.blockTags.push(new CommentTag('@category', [{ kind: 'text', text: category }]));
    };
    for (const module of project.children ?? []) {
      for (const child of module.children ?? []) {
        const comment = commentOf(child);
        if (!comment || child.isReference()) continue;
        put(comment, categoryOf(pathOf(child)));
        if (child.kindOf(ReflectionKind.Function)) categories.set(child.name, { fn: child, tag: tagOf(comment) });
      }
    }
    for (const type of project.getReflectionsByKind(ReflectionKind.Class)) {
      const isTensor = type.children?.some((c) => pathOf(c) === METHODS);
      for (const member of isTensor ? type.children : []) {
        const comment = commentOf(member);
        if (!comment) continue;
        if (pathOf(member) !== METHODS) {
          put(comment, 'This tensor');
          continue;
        }
        const { fn, tag } = categories.get(member.name) ?? {};
        if (!fn) continue; // it has no docstring
        put(comment, tag.content[0].text);
        const link = { kind: 'inline-tag', tag: '@link', text: fn.name, target: fn };
        comment.summary.push({ kind: 'text', text: ' More at ' }, link, { kind: 'text', text: '.' });
      }
    }
  });
}
