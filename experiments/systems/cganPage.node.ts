import { largest, smallest } from '../../gan/extremes.ts';
import { atLeast, atMost, over } from '../claims.ts';
import type { Claim } from '../experiment.ts';
import type { StudyFindings } from './study.ts';
import { atEnd, studyPage, untrained } from './studyPage.node.ts';

type Findings = StudyFindings<'projection' | 'channel' | 'shuffled'>;

/** What must hold. */
export function cganClaims(findings: Findings): Claim[] {
  const seen = 'class asked for is the class seen, share of 1,000 digits';
  const { values } = atEnd(findings, 'projection', 'classSeen');
  return over(values.length, [
    atLeast(`${seen}, at least 0.95 (worst seed)`, smallest(values), 0.95),
    atMost(
      `the same, trained with shuffled labels, at most 0.15: chance is 0.1`,
      largest(atEnd(findings, 'shuffled', 'classSeen').values),
      0.15,
    ),
    atMost('the same, untrained, at most 0.15', largest(untrained(findings, 'projection', 'classSeen').values), 0.15),
  ]);
}

/** The end of the section. */
export function cganPage(findings: Findings): string {
  const of = (way: 'projection' | 'channel') => atEnd(findings, way, 'classSeen').mean.toFixed(3);
  return studyPage('cgan', findings, {
    look: [
      'A row of the picture is one code, a column one class: the code carries what a class leaves open, slant and thickness, across all ten digits.',
      'With shuffled labels a row shows one shape in all columns: the code alone decides what is drawn, and what the generator is told means nothing to it.',
      `A label that enters the critic as one more channel has to be set against the picture by the layers above; the inner product of a projection critic (Miyato and Koyama 2018) does that from the first step on. In as many steps the first ends at ${of('channel')}, the second at ${of('projection')}.`,
    ],
  });
}
