import { useState, useSyncExternalStore } from 'react'
import { MenuButton } from '../../ui/menu.tsx'
import { languageNames } from './editor-language.ts'
import type { EditorSurface } from './editor-surface.ts'
import type { EditorHandle } from './use-editor.ts'

/** The line below a text: is it saved, where is the cursor, what language is it. */
export function EditorStatus(props: { editor: EditorHandle; language: string | undefined; onLanguage: (name: string | null) => void }) {
  const { facts, surface } = props.editor
  const cursor = useCursor(surface)
  const [names, setNames] = useState<readonly string[]>([])
  const words = {
    idle: facts.unsaved ? 'Not saved yet' : 'Saved',
    saving: 'Saving',
    waiting: 'Waiting to save',
    conflict: 'Not saved: the file changed',
    failed: 'Not saved',
  }
  return (
    <div className="app-status">
      <span role="status">{facts.phase === 'ready' ? words[facts.save.phase] : ''}</span>
      <span className="app-bar-fill" />
      {cursor && (
        <span>
          Line {cursor.line}, column {cursor.column}
          {cursor.selected > 0 && ` (${cursor.selected.toLocaleString('en-US')} selected)`}
        </span>
      )}
      {facts.lineEnd === '\r\n' && <span>Windows line ends</span>}
      <MenuButton
        className="editor-language"
        label={`Language: ${props.language ?? 'Plain text'}`}
        side="top"
        align="end"
        onPointerEnter={() => void languageNames().then(setNames)}
        onFocus={() => void languageNames().then(setNames)}
        entries={() => [
          { label: 'By file name', onSelect: () => props.onLanguage(null) },
          'separator',
          ...names.map((name) => ({ label: name, checked: name === props.language, onSelect: () => props.onLanguage(name) })),
        ]}
      >
        {props.language ?? 'Plain text'}
      </MenuButton>
    </div>
  )
}

function useCursor(surface: EditorSurface | undefined): EditorSurface['cursor'] | undefined {
  const key = useSyncExternalStore(
    (changed) => {
      const listening = surface?.onDidMove(changed)
      return () => listening?.dispose()
    },
    () => (surface ? Object.values(surface.cursor).join(' ') : ''),
  )
  if (key === '') return undefined
  const [line = 1, column = 1, selected = 0] = key.split(' ').map(Number)
  return { line, column, selected }
}
