/** Tables whose names are written once: the type of a name is that of the table's keys. */

/** A table of rows by name, with its names in its type: `const models = tableOf<Model>()({ ... })`. */
export const tableOf =
  <Row>() =>
  <Name extends string>(rows: Readonly<Record<Name, Row>>): Readonly<Record<Name, Row>> =>
    rows;

/** The names of a table, in its order. */
export const namesOf = <Name extends string>(rows: Readonly<Record<Name, unknown>>): readonly Name[] =>
  Object.keys(rows) as Name[];
