import { rowOf, settingsOf, systemNames } from '../../gan/systems/table.ts';

/** All systems for people to read: the text of `wgrad systems`. */
export const listSystems = (): string =>
  systemNames
    .map((name) => {
      const { title, paper, about, measures = {}, shows = {}, presets = {} } = rowOf(name);
      const names = (table: object) => Object.keys(table).join(', ');
      return [
        `${name}: ${title}`,
        `  ${about}`,
        `  paper     ${paper}`,
        `  data      ${settingsOf(name).data!.default}`,
        ...(Object.keys(measures).length > 0 ? [`  measures  ${names(measures)}`] : []),
        ...(Object.keys(shows).length > 0 ? [`  pictures  ${names(shows)}`] : []),
        ...(Object.keys(presets).length > 0 ? [`  presets   ${names(presets)}`] : []),
        `  train     wgrad train ${name}; wgrad train ${name} --help`,
      ].join('\n');
    })
    .join('\n\n');
