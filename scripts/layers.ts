import { readdir } from 'node:fs/promises'
import { createRequire, registerHooks } from 'node:module'
import path from 'node:path'
import { inProject, ROOT } from './project.ts'

// dependency-cruiser reads TypeScript through the compiler's JavaScript API, which TypeScript 7 does not have:
// inside this process "typescript" is TypeScript 6, installed beside it under an alias.
registerHooks({
  resolve(specifier, context, next) {
    return next(
      specifier === 'typescript' || specifier.startsWith('typescript/') ? specifier.replace('typescript', 'typescript6') : specifier,
      context,
    )
  },
})

export interface Violation {
  readonly rule: string
  readonly from: string
  readonly to: string
  readonly why: string
}

export interface LayerReport {
  readonly violations: readonly Violation[]
  /** Source files under src/ that the cruise read. */
  readonly modulesSeen: number
  /** Source files there are. */
  readonly filesThere: number
}

async function sourceFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true })
  return entries.filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name)).map((entry) => path.join(entry.parentPath, entry.name))
}

/**
 * Checks the import table of ARCHITECTURE.md, section 2, with dependency-cruiser.
 *
 * @param root  a folder that holds `src/`; tests plant violations in one of their own
 */
export async function checkLayers(root: string = ROOT): Promise<LayerReport> {
  const { cruise } = await import('dependency-cruiser')
  const extractTsConfig = (await import('dependency-cruiser/config-utl/extract-ts-config')).default
  const rules = createRequire(import.meta.url)(inProject('dependency-cruiser.cjs'))
  const options = { ...rules.options, baseDir: root, ruleSet: { forbidden: rules.forbidden }, validate: true }
  delete options.tsConfig
  const { output } = await cruise(['src'], options, undefined, { tsConfig: extractTsConfig(inProject('tsconfig.json')) })
  if (typeof output === 'string') throw new TypeError('dependency-cruiser answered with text')
  return {
    violations: output.summary.violations.map(({ rule, from, to, comment }) => ({ rule: rule.name, from, to, why: comment ?? '' })),
    modulesSeen: output.modules.filter(({ source, couldNotResolve }) => source.startsWith('src/') && !couldNotResolve).length,
    filesThere: (await sourceFiles(path.join(root, 'src'))).length,
  }
}

export async function main(): Promise<number> {
  const { violations, modulesSeen, filesThere } = await checkLayers()
  for (const { rule, from, to, why } of violations) console.log(`layers: ${rule}: ${from} -> ${to}${why ? `\n  ${why}` : ''}`)
  if (modulesSeen < filesThere) {
    console.log(`layers: saw ${modulesSeen} modules but there are ${filesThere} files under src/: the check is blind, mend it first`)
    return 1
  }
  console.log(`layers: ${modulesSeen} modules, ${violations.length} violations`)
  return violations.length === 0 ? 0 : 1
}

if (import.meta.main) process.exitCode = await main()
