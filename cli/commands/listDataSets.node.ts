import { dataSets } from '../../gan/data/datasets.node.ts';

/** All data sets for people to read: the text of `wgrad data`. */
export const listDataSets = (): string =>
  dataSets
    .map(({ name, title, about, kind, shape, size, source, licence, obtain }) => {
      const many = size ? `${size.map((n) => n.toLocaleString('en')).join(' + ')} held out` : 'what there is';
      return [
        `${name}: ${title}`,
        `  ${about}`,
        `  ${kind} [${shape.join(', ')}], ${many}`,
        `  source   ${source}`,
        `  licence  ${licence}`,
        `  get it   ${obtain.replaceAll('`', '')}`,
      ].join('\n');
    })
    .join('\n\n');
