/** Finds `any` in the declarations that a package's users meet. */
import { relative } from 'node:path';
import ts from 'typescript';

export interface Found {
  /** `engine/autograd/row.d.ts:56: Row<any>`: where an `any` is, and the type or declaration around it. */
  readonly any: string[];
  /** The declarations that were looked through. */
  readonly declarations: number;
}

/**
 * Walks from the exports of the entry points through every declaration in `folder` that they name: members of classes and
 * interfaces, parameters, results, type arguments. What lies outside the folder, as the standard library, is not entered.
 * @param entryPoints paths of .d.ts files
 * @throws Error for a name that does not resolve, which would count as `any` unseen
 */
export function findAny(entryPoints: readonly string[], folder: string): Found {
  const options = { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022, strict: true, types: [] };
  const program = ts.createProgram([...entryPoints], { ...options, allowImportingTsExtensions: true, noEmit: true });
  const checker = program.getTypeChecker();
  const seen = new Set<ts.Node>();
  const found = new Set<string>();

  const place = (node: ts.Node): string => {
    const file = node.getSourceFile();
    const { line } = file.getLineAndCharacterOfPosition(node.getStart());
    return `${relative(folder, file.fileName)}:${line + 1}`;
  };

  const enterSymbol = (symbol: ts.Symbol): void => {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    if (!target.declarations) throw new Error(`${symbol.name} does not resolve`);
    for (const declaration of target.declarations) {
      if (!declaration.getSourceFile().fileName.startsWith(folder)) continue;
      if (ts.isSourceFile(declaration)) for (const member of checker.getExportsOfModule(target)) enterSymbol(member);
      else enter(declaration);
    }
  };

  const enter = (declaration: ts.Node): void => {
    if (seen.has(declaration)) return;
    seen.add(declaration);
    visit(declaration);
  };

  const visit = (node: ts.Node): void => {
    if (node.kind === ts.SyntaxKind.AnyKeyword) found.add(`${place(node)}: ${node.parent.getText()}`);
    // A declaration without a type has one all the same, and it is `any`; of a private member nobody gets to see it.
    const typable = ts.isPropertyDeclaration(node) || ts.isPropertySignature(node) || ts.isParameter(node);
    const constant = typable && !ts.isPropertySignature(node) && node.initializer;
    const hidden = typable && node.modifiers?.some((m) => m.kind === ts.SyntaxKind.PrivateKeyword);
    if (typable && !node.type && !constant && !hidden && !ts.isPrivateIdentifier(node.name))
      found.add(`${place(node)}: ${node.getText()} has no type`);
    if (ts.isIdentifier(node)) {
      const symbol = checker.getSymbolAtLocation(node);
      if (symbol) enterSymbol(symbol);
      else if (!ts.isNamedTupleMember(node.parent)) throw new Error(`${place(node)}: ${node.text} does not resolve`);
    }
    ts.forEachChild(node, visit);
  };

  for (const path of entryPoints) {
    const file = program.getSourceFile(path);
    const module = file && checker.getSymbolAtLocation(file);
    if (!module) throw new Error(`${path} is no module`);
    enterSymbol(module);
  }
  return { any: [...found], declarations: seen.size };
}
