// oxlint-disable-next-line no-control-regex -- exactly those are taken out
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|^\p{Emoji_Presentation}|^[\u{20000}-\u{3fffd}]|\ufe0f/u
const ZERO = /^\p{M}+$/u
const clusters = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

const columnsOf = (cluster: string): number => (ZERO.test(cluster) ? 0 : WIDE.test(cluster) ? 2 : 1)

/** Columns of a terminal that the text takes, as near as can be known without asking it. */
export function widthOf(text: string): number {
  let width = 0
  for (const { segment } of clusters.segment(text)) width += columnsOf(segment)
  return width
}

/** The text in at most `width` columns, cut with an ellipsis; nothing in it moves a cursor or changes a colour. */
export function fit(text: string, width: number): string {
  // Nothing far beyond the width is looked at: command lines may be long.
  const plain = text
    .slice(0, width * 8 + 64)
    .replaceAll('\t', ' ')
    .replace(CONTROL, '')
  let shown = ''
  let used = 0
  for (const { segment } of clusters.segment(plain)) {
    const columns = columnsOf(segment)
    if (used + columns > width) return width < 1 ? '' : cutTo(shown, width - 1) + '…'
    shown += segment
    used += columns
  }
  return shown
}

function cutTo(text: string, width: number): string {
  let shown = ''
  let used = 0
  for (const { segment } of clusters.segment(text)) {
    used += columnsOf(segment)
    if (used > width) break
    shown += segment
  }
  return shown
}
