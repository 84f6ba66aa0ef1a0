/** What is printed of a recovery kit. */
export interface RecoveryPage {
  readonly personName: string
  /** Base58 of the root key. */
  readonly person: string
  readonly madeAtMs: number
  readonly words: readonly string[]
  readonly devices: readonly string[]
  /** What the file beside it is called. */
  readonly fileName: string
}

/** Says whose it is and when it was made; letters, digits and dashes only. */
export function recoveryFileName({ personName, madeAtMs }: Pick<RecoveryPage, 'personName' | 'madeAtMs'>): string {
  const name = personName
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 24)
  return ['elsewhere-recovery', name, new Date(madeAtMs).toISOString().slice(0, 10)].filter((part) => part !== '').join('-') + '.age'
}

/** The page of a recovery kit as one HTML file that needs nothing else: words, and how they are used (rule ID157). */
export function recoveryPage(page: RecoveryPage): string {
  const words = page.words.map((word) => `<li>${escape(word)}</li>`).join('')
  const made = new Date(page.madeAtMs).toISOString().slice(0, 10)
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Recovery words of ${escape(page.personName)}</title>
<style>
  @page { margin: 20mm }
  body { font: 12pt/1.5 system-ui, sans-serif; color: #111; background: #fff; max-width: 170mm; margin: 15mm auto; padding: 0 5mm }
  h1 { font-size: 20pt; line-height: 1.2; margin: 0 0 2mm }
  h2 { font-size: 12pt; margin: 8mm 0 1mm }
  ol.words { columns: 2; margin: 6mm 0; padding: 5mm 5mm 5mm 14mm; border: 1px solid #888; border-radius: 3mm }
  ol.words li { font: 14pt/1.8 ui-monospace, monospace; break-inside: avoid }
  small { color: #444 } code { font-family: ui-monospace, monospace; overflow-wrap: anywhere }
</style>
<h1>Recovery words of ${escape(page.personName)}</h1>
<p>Elsewhere, made on ${made}. These words open the file <code>${escape(page.fileName)}</code>. Whoever holds both can act as
${escape(page.personName)}; one without the other is worth nothing. Keep them in two places.</p>
<ol class="words">${words}</ol>
<h2>To get everything back</h2>
<p>Install Elsewhere on any machine, start it, and choose <b>I have a recovery kit</b>; or run
<code>elsewhere recovery restore FILE</code>. The desk comes from any of these devices that can still be reached:
${escape(page.devices.join(', '))}.</p>
<p>Any program that reads age files opens it, too: its passphrase is the words with a dash between them.</p>
<p><small>Person key: <code>${escape(page.person)}</code></small></p>
</html>
`
}

const escape = (text: string): string => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
