import { type DataSetEntry, dataSets } from './datasets.node.ts';

/** How many columns of the table an entry fills: its name, what it holds, how much of it, its origin and how to get it. */
const HEAD = ['name', 'samples', 'to learn from + held out', 'source', 'licence', 'how to get it'];

/**
 * The table of all data sets in Markdown, with a section for each: the text of docs/data.md.
 * @param pictures for the data sets that have one, the path of its picture, by name
 */
export function describeDataSets(pictures: Readonly<Record<string, string>> = {}): string {
  const rows = dataSets.map((set) => [
    `[\`${set.name}\`](#${set.name})`,
    `${set.kind === 'pairs' ? 'two domains of images' : set.kind} [${set.shape.join(', ')}]`,
    set.size ? set.size.map((n) => n.toLocaleString('en')).join(' + ') : 'what there is; a tenth is held out',
    set.source,
    set.licence,
    set.obtain,
  ]);
  const table = [HEAD, HEAD.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  const sections = dataSets.map((set) => section(set, pictures[set.name]));
  return `${INTRODUCTION}\n${table}\n\n${sections.join('\n')}`;
}

function section({ name, title, about, options }: DataSetEntry, picture: string | undefined): string {
  const image = picture ? `\n![${title}](${picture})\n` : '';
  const listed = options.map((option) => `\`${option}\``).join(', ');
  return `## ${name}\n\n${title}: ${about}.\n${image}\nOptions: ${listed}.\n`;
}

const INTRODUCTION = `# Data sets

Every data set opens by its name, with \`--data NAME\` on the command line and in code:

\`\`\`ts
import { trainingData } from 'wgrad/gan';
import { openSampleSet } from 'wgrad/gan/node';
import { DataLoader } from 'wgrad/nn';

const set = await openSampleSet('mnist', { classes: ['8'], size: 32 });
const loader = new DataLoader(trainingData(set), { batchSize: 64, shuffle: true });
for await (const { sample } of loader) console.log(sample.shape); // [64, 32, 32, 1], from -1 to 1
\`\`\`

New to GANs? Begin with \`ring\`: it needs no files, trains in a minute or two, and one look at a picture of the samples tells
whether the generator found all eight modes. \`mnist\` is the next step.

- **Images** lie in memory as bytes and reach the networks in [-1, 1], [N, H, W, C]; **points** stay as they are, [N, D].
- **Held-out samples** (\`set.test\`) are for measurement alone. Sets made from a seed draw them from a stream of their own,
  sets that come with a test split keep it, emoji and folders hold out a tenth by a hash, always the same one, and glyphs
  400 characters in the same way.
- **\`size\`** asks for other pixels: images of 28 x 28 are framed with black up to 32 x 32 and resampled (bilinear, with
  antialiasing) to any other size; emoji and folders are decoded to it (Lanczos), glyphs are drawn at it.
- **\`classes\`** keeps some classes and numbers them anew: \`{ classes: ['bag'] }\` of Fashion-MNIST are the bags.
- **\`seed\`**, \`trainSize\` and \`testSize\` say which points are drawn and how many; distributions have their own
  parameters beside (\`radius\`, \`sigma\`, \`noise\`, ...).
- A data set that is missing, or a file that is broken, is one line of error that names the file and the remedy. In a folder
  of images, files that cannot be read are left out, counted in one warning and listed in \`set.skipped\`.

The npm package \`fashion-mnist\` is not read: it has lost the split into training and test images, and of its 70,002 rows 5,603
are no image of Fashion-MNIST and two are cut short.
`;
