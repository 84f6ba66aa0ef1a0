import { EditorView } from '@codemirror/view'

/**
 * Lets an editor that was just drawn measure itself now, within `host`, instead of in the next frame: asking where its first
 * letter is does that. For drawing ahead (rule AP91).
 */
export function measureEditor(host: HTMLElement): void {
  const element = host.querySelector<HTMLElement>('.cm-editor')
  if (element) EditorView.findFromDOM(element)?.coordsAtPos(0)
}
