/** Letters at the end of a name that stay in sight: an ending, and what tells `report (2).pdf` from `report (3).pdf`. */
const TAIL_LETTERS = 10
/** Shorter names are never cut in two: no place is that narrow. */
const WHOLE_LETTERS = 24

/** Of `a.tar.gz` and `a.txt` 1, of `.profile` all: what is chosen when a name is about to be changed. */
export function stemLength(name: string): number {
  const ending = /(\.tar)?\.[^.]*$/i.exec(name)
  return ending && ending.index > 0 ? ending.index : name.length
}

/** A name in its head, which may be cut, and its tail, which is not. Letters that are drawn as one stay together. */
export function splitName(name: string): { head: string; tail: string } {
  const letters = [...new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(name)].map(({ segment }) => segment)
  if (letters.length <= WHOLE_LETTERS) return { head: name, tail: '' }
  let from = letters.length - TAIL_LETTERS
  while (letters[from] === ' ') from++ // what is left out already parts the two
  return { head: letters.slice(0, from).join(''), tail: letters.slice(from).join('') }
}

/** What an entry is called, on one line: where there is no room for all of it, the middle is left out. In its own direction. */
export function FileName({ name }: { name: string }) {
  const { head, tail } = splitName(name)
  return (
    <span className="files-name files-line-name" dir="auto" title={name}>
      <span>{head}</span>
      {tail !== '' && <span>{tail}</span>}
    </span>
  )
}
