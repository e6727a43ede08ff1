import { smallest } from '../../gan/extremes.ts';
import { atLeast, atMost, over } from '../claims.ts';
import type { Claim } from '../experiment.ts';
import type { StudyFindings } from './study.ts';
import { atEnd, control, studyPage } from './studyPage.node.ts';

type Way = 'both' | 'no-cycle' | 'no-identity' | 'neither';
type Findings = StudyFindings<Way>;

/** What must hold, of means over the seeds unless it says otherwise. */
export function cycleganClaims(findings: Findings): Claim[] {
  const of = (way: Way, measure: string) => atEnd(findings, way, measure).mean;
  const copy = (measure: string) => control(findings, 'both', measure, 'copy').mean;
  const { values } = atEnd(findings, 'both', 'rightImage');
  return over(values.length, [
    atLeast(
      'right character of 400, share, less that of copying, at least 0 (worst seed)',
      smallest(values) - copy('rightImage'),
      0,
    ),
    atMost(
      "distance to the true character over copying's, at most 0.99",
      of('both', 'distance') / copy('distance'),
      0.99,
    ),
    atLeast(
      'strokes, on the way from Ming to Hei (worst seed; copying 0), at least 0.5',
      smallest(atEnd(findings, 'both', 'strokesReached').values),
      0.5,
    ),
    atMost(
      'right character with the critics alone, less that with cycle and identity, at most -0.05',
      of('neither', 'rightImage') - of('both', 'rightImage'),
      -0.05,
    ),
    atLeast(
      "distance with the critics alone over copying's, at least 1.05",
      of('neither', 'distance') / copy('distance'),
      1.05,
    ),
  ]);
}

/** The end of the section. */
export function cycleganPage(findings: Findings): string {
  const right = (way: Way) => atEnd(findings, way, 'rightImage').mean.toFixed(3);
  const copied = control(findings, 'both', 'rightImage', 'copy').mean.toFixed(3);
  return studyPage('cyclegan', findings, {
    look: [
      'Columns of a picture: the character in Ming, what it became, what came back, and the character in Hei, which no system has seen. Thin strokes become even ones, serifs go, and the character stays.',
      `Copying is a strong rival: Hei's characters have the skeletons of Ming's, so that the untouched picture already finds its own among 400 with a share of ${copied}. To do better, strokes must grow where Hei has them.`,
      `The cycle is not what holds the character here. Identity alone, without the way back, ends at ${right('no-cycle')}, as good as both (${right('both')}); the cycle alone ends at ${right('no-identity')}, below copying, and its worst seed at ${smallest(atEnd(findings, 'no-identity', 'rightImage').values).toFixed(3)}. A cycle is satisfied by any pair of maps that undo each other, also by two that redraw every character in a way of their own; leaving alone what is of the other domain already pins both maps to the pictures. The paper has the identity as an option for colours, with its weight a share of that of the cycle: both off (${right('neither')}) is what its weight 0 means, and there the characters go.`,
      'The first few hundred steps of a translator at this rate and size are shown, not what the networks could learn in days: the distance to the true character is but a few hundredths below that of copying, and most of what is left is geometry, which a translator of strokes does not touch.',
    ],
  });
}
