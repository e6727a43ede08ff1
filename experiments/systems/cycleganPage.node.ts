import { smallest } from '../../gan/extremes.ts';
import { atLeast, atMost, over } from '../claims.ts';
import type { Claim } from '../experiment.ts';
import type { StudyFigures } from './study.ts';
import { atEnd, control, studyPage } from './studyPage.node.ts';

type Figures = StudyFigures<'both' | 'no-cycle' | 'no-identity' | 'neither'>;

/** What must hold. */
export function cycleganClaims(figures: Figures): Claim[] {
  const of = (way: 'both' | 'neither' | 'no-cycle', measure: string) => atEnd(figures, way, measure).mean;
  const copy = (measure: string) => control(figures, 'both', measure, 'copy').mean;
  const { values } = atEnd(figures, 'both', 'rightImage');
  return over(values.length, [
    atLeast(
      'right character of 400, share, less that of copying, at least 0',
      of('both', 'rightImage') - copy('rightImage'),
      0,
    ),
    atMost("distance to the true character over copying's, below 1", of('both', 'distance') / copy('distance'), 0.9999),
    atLeast(
      'strokes, of the way from Ming to Hei (worst seed), at least 0.5',
      smallest(atEnd(figures, 'both', 'strokesReached').values),
      0.5,
    ),
    atMost(
      'right character without cycle and identity, less that with them, at most -0.1',
      of('neither', 'rightImage') - of('both', 'rightImage'),
      -0.1,
    ),
  ]);
}

/** The end of the section. */
export const cycleganPage = (figures: Figures): string => studyPage('cyclegan', figures, { look: [] });
