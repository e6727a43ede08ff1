/** Documents name only files that exist, and their links lead somewhere. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const test = suite('documents');

const folders = ['docs', 'docs/guide', 'docs/design'];
const inFolders = folders.flatMap((folder) => readdirSync(folder).map((name) => `${folder}/${name}`));
const pages = ['README.md', 'CONTRIBUTING.md', ...inFolders.filter((path) => path.endsWith('.md'))];
const textOf = (page: string) => readFileSync(page, 'utf8');

/** The anchors of a page, as GitHub makes them of its headings. */
function anchors(page: string): string[] {
  const headings = [...textOf(page).matchAll(/^#+ (.*)$/gm)].map((m) => m[1]!);
  return headings.map((h) =>
    h
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/ /g, '-'),
  );
}

/** The relative links of a page that lead nowhere. */
function brokenLinks(page: string): string[] {
  const links = [...textOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map((m) => m[1]!).filter((to) => !/^[a-z]+:/.test(to));
  return links.filter((to) => {
    const [path, anchor] = to.split('#') as [string, string?];
    const file = path ? join(dirname(page), path) : page;
    return !existsSync(file) || (anchor !== undefined && !anchors(file).includes(anchor));
  });
}

/** The paths of this repository that a page names between backticks, with a folder of the sources in front. */
function namedPaths(page: string): string[] {
  const code = [...textOf(page).matchAll(/`([^`\n]+)`/g)].map((m) => m[1]!);
  return code.flatMap((text) =>
    [
      ...text.matchAll(
        /(?<![\w./-])(?:kernels|engine|nn|gan|cli|experiments|playground|bench|test|examples|docs|bin)\/[\w./*-]*/g,
      ),
    ].map((m) => m[0]),
  );
}

const made = /^docs\/api|[*]|NAME/;

test('every relative link leads to a file, and to a heading of it', () => {
  for (const page of pages) assert.equal(brokenLinks(page), [], page);
});

test('every path of the repository that README, CONTRIBUTING, the guide and the design name exists', () => {
  const read = pages.filter((page) => !/^docs\/\w+\.md$/.test(page));
  const named = read.flatMap((page) => namedPaths(page).map((path) => [page, path] as const));
  assert.ok(named.length > 50, `${named.length} paths`);
  assert.equal(
    named.filter(([, path]) => !made.test(path) && !existsSync(path)),
    [],
  );
});

test.run();
