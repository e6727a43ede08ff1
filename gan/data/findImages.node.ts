import type { Dirent } from 'node:fs';
import { open, readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { formatOf, HEAD_BYTES, isDecoded, namedAs } from './imageFormats.ts';

/** A file that is probably an image. */
export interface FoundImage {
  readonly path: string;
  /** Folders between the root and the file, as they are named there. */
  readonly folders: readonly string[];
}

/** A picture or folder that was not read. */
export interface Passed {
  readonly path: string;
  /** The reason, in a few words. */
  readonly reason: string;
  readonly isFolder: boolean;
}

/** What a folder and those below it hold. */
export interface FoundImages {
  /** The pictures that were found, ordered by path. */
  readonly found: readonly FoundImage[];
  /** Pictures and folders that were passed over, by path. */
  readonly passed: readonly Passed[];
  /** All folders below the root, as lists of names, by path; also those without an image. */
  readonly folders: readonly (readonly string[])[];
  /** Folders and pictures whose names begin with a dot, and what macOS puts beside them in archives. */
  readonly hidden: readonly string[];
}

/** A folder on the way. */
interface Place {
  readonly path: string;
  readonly folders: readonly string[];
}

/**
 * Finds images in a folder and below, by their names; files whose names say nothing, by their first bytes. Links are followed, to
 * files and to folders; a folder that several names lead to is read once, under its own name if that is below the root.
 * @throws Error of the file system if the root itself cannot be read
 */
export async function findImages(root: string): Promise<FoundImages> {
  const found: FoundImage[] = [];
  const passed: Passed[] = [];
  const pass = (path: string, reason: string, isFolder = false) => void passed.push({ path, reason, isFolder });
  const folders: (readonly string[])[] = [];
  const hidden: string[] = [];
  /** Folders that were read, by where they really are. */
  const read = new Map<string, string>();
  const links: (Place & { readonly target: string })[] = [];
  const isRoot = await realpath(root);

  const look = async (place: Place, entry: Dirent): Promise<Place | undefined> => {
    const path = join(place.path, entry.name);
    const isHidden = entry.name.startsWith('.') || entry.name === '__MACOSX';
    const named = namedAs(entry.name);
    if (isHidden) {
      if (entry.isDirectory() || named) hidden.push(path);
      return undefined;
    }
    const inside = { path, folders: [...place.folders, entry.name] };
    if (entry.isDirectory()) return inside;
    const about = entry.isSymbolicLink() ? await stat(path).catch(codeOf) : entry;
    if (typeof about === 'string') {
      // A link to nowhere is a picture or a class that is missing; other broken links concern nobody here.
      if (named || !entry.name.includes('.')) pass(path, about, !named);
    } else if (about.isDirectory()) {
      links.push({ ...inside, target: await realpath(path) });
    } else if (!about.isFile()) {
      if (named) pass(path, 'it is a device or a pipe, not a file');
    } else if (named === 'read' || (named === undefined && isDecoded(await sniff(path)))) {
      found.push({ path, folders: place.folders });
    } else if (named === 'other') {
      const format = await sniff(path);
      if (isDecoded(format)) found.push({ path, folders: place.folders });
      else pass(path, format ? `${format} is not read` : 'of a format that is not read');
    }
    return undefined;
  };

  const walk = async (from: Place, target: string): Promise<void> => {
    const open: (Place & { readonly target: string })[] = [{ ...from, target }];
    for (let place = open.pop(); place; place = open.pop()) {
      read.set(place.target, place.path);
      if (place.folders.length > 0) folders.push(place.folders);
      let entries: Dirent[];
      try {
        entries = await readdir(place.path, { withFileTypes: true });
      } catch (error) {
        if (place.path === root) throw error;
        pass(place.path, codeOf(error as NodeJS.ErrnoException), true);
        continue;
      }
      for (const entry of entries) {
        const below = await look(place, entry);
        if (below) open.push({ ...below, target: join(place.target, entry.name) });
      }
    }
  };

  await walk({ path: root, folders: [] }, isRoot);
  // Folders that lie below the root have their own names by now; the links come in the order of their paths.
  while (links.length > 0) {
    links.sort((a, b) => (a.path < b.path ? 1 : -1));
    const { target, ...link } = links.pop()!;
    const known = read.get(target);
    if (isRoot.startsWith(target === sep ? sep : target + sep)) {
      pass(link.path, 'a link to a folder that holds it', true);
    } else if (known !== undefined) {
      pass(link.path, `a link to ${known}, which is read already`, true);
    } else await walk(link, target);
  }
  const byPath = (a: { readonly path: string }, b: { readonly path: string }): number => (a.path < b.path ? -1 : 1);
  return { found: found.sort(byPath), passed: passed.sort(byPath), folders: folders.sort(), hidden: hidden.sort() };
}

/** The format of a file by its first bytes; undefined for one that cannot be read, or of none that is known. */
async function sniff(path: string): Promise<string | undefined> {
  const file = await open(path, 'r').catch(() => undefined);
  if (!file) return undefined;
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return formatOf(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

const codeOf = ({ code, message }: NodeJS.ErrnoException): string => code ?? message;
