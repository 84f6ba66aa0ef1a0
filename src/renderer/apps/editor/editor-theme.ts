import { HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import { EditorState, type Extension } from '@codemirror/state'
import { EditorView } from '@codemirror/view'
import { tags } from '@lezer/highlight'

/* Colours come from the tokens, so light, dark and hue follow without a change here. */

const surface = EditorView.theme({
  '&': { height: '100%', backgroundColor: 'var(--surface)', color: 'var(--text)', fontSize: 'var(--editor-font, 13px)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--font-mono)', lineHeight: '1.55', overflow: 'auto' },
  '.cm-content': { padding: 'var(--space-2) 0 40vh', caretColor: 'var(--accent)' },
  '.cm-line': { padding: '0 var(--space-4) 0 var(--space-2)' },
  '.cm-cursor': { borderLeftColor: 'var(--accent)', borderLeftWidth: '2px' },
  '.cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground': {
    backgroundColor: 'var(--accent-selection)',
  },
  '.cm-gutters': { backgroundColor: 'var(--surface)', color: 'var(--text-faint)', border: 'none', fontVariantNumeric: 'tabular-nums' },
  '.cm-lineNumbers .cm-gutterElement': { padding: '0 var(--space-2) 0 var(--space-3)', minWidth: '4ch' },
  '.cm-activeLine': { backgroundColor: 'var(--hover)' },
  '.cm-activeLineGutter': { backgroundColor: 'transparent', color: 'var(--text)' },
  '.cm-foldGutter .cm-gutterElement': { color: 'var(--text-faint)' },
  '.cm-foldPlaceholder': { backgroundColor: 'var(--hover)', border: 'none', color: 'var(--text-quiet)', padding: '0 4px' },
  '.cm-matchingBracket, &.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--accent-soft)', outline: '1px solid var(--edge-firm)' },
  '.cm-searchMatch': { backgroundColor: 'var(--unsafe-soft)', outline: '1px solid var(--edge-firm)' },
  '.cm-searchMatch-selected': { backgroundColor: 'var(--accent-selection)' },
  '.cm-selectionMatch': { backgroundColor: 'var(--accent-soft)' },
  '.cm-panels': { backgroundColor: 'var(--surface-bar)', color: 'var(--text)', fontFamily: 'var(--font-ui)' },
  '.cm-panels-top': { borderBottom: '1px solid var(--edge)' },
  '.cm-panel.cm-search': { padding: 'var(--space-2) var(--space-6) var(--space-2) var(--space-3)', fontSize: 'var(--text-ui)' },
  '.cm-panel.cm-search label': { fontSize: 'var(--text-secondary)', color: 'var(--text-quiet)', marginRight: 'var(--space-2)' },
  '.cm-panel.cm-search [name=close]': { fontSize: '18px', top: '4px', right: '8px', color: 'var(--text-quiet)' },
  '.cm-textfield': {
    height: '24px',
    fontSize: 'var(--text-ui)',
    border: 'none',
    borderRadius: 'var(--space-1)',
    boxShadow: 'inset 0 0 0 1px var(--edge-control)',
    backgroundColor: 'var(--surface)',
  },
  '.cm-button': {
    height: '24px',
    backgroundImage: 'none',
    backgroundColor: 'var(--surface)',
    border: 'none',
    borderRadius: 'var(--space-1)',
    boxShadow: 'inset 0 0 0 1px var(--edge-firm)',
    fontSize: 'var(--text-secondary)',
  },
  '.cm-tooltip': {
    backgroundColor: 'var(--surface-raised)',
    border: 'none',
    borderRadius: 'var(--radius-control)',
    boxShadow: 'var(--shadow-window)',
  },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--accent-soft)', color: 'var(--text)' },
  '.cm-specialChar': { color: 'var(--lost)' },
  '.cm-ySelectionInfo': { fontFamily: 'var(--font-ui)', fontSize: '11px', padding: '1px 4px', borderRadius: '4px' },
})

const highlight = HighlightStyle.define([
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword, tags.controlKeyword], color: 'var(--code-keyword)' },
  { tag: [tags.string, tags.special(tags.string), tags.regexp, tags.attributeValue], color: 'var(--code-string)' },
  { tag: [tags.number, tags.bool, tags.null, tags.atom, tags.escape], color: 'var(--code-number)' },
  { tag: [tags.comment, tags.meta, tags.processingInstruction], color: 'var(--code-comment)' },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName), tags.labelName], color: 'var(--code-function)' },
  { tag: [tags.typeName, tags.className, tags.namespace, tags.tagName], color: 'var(--code-type)' },
  { tag: [tags.propertyName, tags.attributeName, tags.definition(tags.variableName)], color: 'var(--code-variable)' },
  { tag: tags.heading, color: 'var(--code-function)', fontWeight: '600' },
  { tag: tags.strong, fontWeight: '600' },
  { tag: tags.emphasis, fontStyle: 'italic' },
  { tag: tags.strikethrough, textDecoration: 'line-through' },
  { tag: tags.link, color: 'var(--accent-text)' },
  { tag: tags.url, color: 'var(--accent-text)', textDecoration: 'underline' },
  { tag: tags.invalid, color: 'var(--lost)' },
])

/** What the search panel says: CodeMirror's own words are labels of code. */
const phrases = EditorState.phrases.of({
  next: 'Next',
  previous: 'Previous',
  all: 'Select all',
  'match case': 'Match case',
  regexp: 'Regular expression',
  'by word': 'Whole words',
  replace: 'Replace',
  'replace all': 'Replace all',
  close: 'Close',
})

/** The editor's look in both themes, and its words. */
export const editorTheme: Extension = [surface, syntaxHighlighting(highlight), phrases]
