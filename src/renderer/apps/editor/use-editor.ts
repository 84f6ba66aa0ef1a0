import { type RefObject, useEffect, useEffectEvent, useRef, useState } from 'react'
import { useStore } from 'zustand'
import { createStore } from 'zustand/vanilla'
import { toBase58 } from '../../../base/base58.ts'
import { ELSEWHERE } from '../../../session/app-state.ts'
import { textDocId } from '../../../session/text-buffer.ts'
import { closeText, openText, useClient } from '../../desk/app-desk.ts'
import type { AttachedDocument } from '../../desk/attached-document.ts'
import { useDesk } from '../../desk/desk-store.ts'
import { useDoor } from '../../desk/door-store.ts'
import { useDeviceReachable } from '../app-hooks.ts'
import type { AppProps } from '../app-props.ts'
import { textsOf } from '../files/source-of.ts'
import { EditorModel } from './editor-model.ts'
import { type EditorFacts, type EditorState, NO_FACTS } from './editor-parts.ts'
import { type EditorPlace, EditorSurface } from './editor-surface.ts'
import { lastTexts } from './last-texts.ts'

export interface EditorHandle {
  readonly place: RefObject<HTMLDivElement | null>
  readonly model: EditorModel | undefined
  readonly surface: EditorSurface | undefined
  readonly facts: EditorFacts
}

/** Cursor and scroll follow after this pause; sooner would be a change of the workspace a key. */
const FOLLOW_PAUSE_MS = 250
const NOTHING_YET = createStore<EditorFacts>(() => NO_FACTS)

/** Joins one tab to its model and its surface. */
export function useEditor(props: AppProps<EditorState>, onNeedsPath: () => void): EditorHandle {
  const { active } = props
  const { device, path, textDoc } = props.state
  const reachable = useDeviceReachable(device)
  const place = useRef<HTMLDivElement>(null)
  const [made, setMade] = useState<{ model: EditorModel; surface: EditorSurface }>()
  const facts = useStore(made?.model.facts ?? NOTHING_YET)

  // The model asks for the tab's state long after a render; it must see the newest.
  const newest = useRef(props)
  useEffect(() => {
    newest.current = props
  })
  const askPath = useEffectEvent(onNeedsPath)

  useEffect(() => {
    const element = place.current
    if (!element) return
    const surface = new EditorSurface(element, 'Text', useDesk.getState().deviceName)
    const model = new EditorModel(
      {
        calls: () => {
          const { client } = useDoor.getState()
          return client && textsOf(client)
        },
        openText,
        closeText: (text) => closeText(text as AttachedDocument),
        newTextName: () => textDocId(toBase58(crypto.getRandomValues(new Uint8Array(16)))),
        nowMs: Date.now,
        state: () => newest.current.state,
        setState: (change) => {
          newest.current.setState(change)
          // The next render brings the merged state; until then whoever asks must see it too.
          newest.current = { ...newest.current, state: { ...newest.current.state, ...change } }
        },
      },
      surface,
      lastTexts,
    )
    let waiting: EditorPlace | undefined
    let timer: ReturnType<typeof setTimeout> | undefined
    const follow = () => {
      clearTimeout(timer)
      timer = undefined
      const at = waiting
      waiting = undefined
      const { selection, scrollTop } = newest.current.state
      if (!at || (selection.anchor === at.anchor && selection.head === at.head && scrollTop === at.scrollTop)) return
      newest.current.setState({ selection: { anchor: at.anchor, head: at.head }, scrollTop: at.scrollTop })
    }
    surface.onDidType(() => model.handleTyped())
    surface.onDidAskSave(async () => {
      if (!(await model.save())) askPath()
    })
    surface.onDidMove((at) => {
      // Text that moves because another display writes is not a move of the person here.
      if (model.facts.getState().phase !== 'ready' || !surface.hasFocus) return
      waiting = at
      timer ??= setTimeout(follow, FOLLOW_PAUSE_MS)
    })
    setMade({ model, surface })
    return () => {
      follow()
      model.dispose()
      surface.dispose()
      setMade(undefined)
    }
  }, [])

  useEffect(() => made?.model.follow(reachable, { device, path, textDoc }), [made, reachable, device, path, textDoc])
  useEffect(() => made?.surface.setReadOnly(facts.phase !== 'ready' || facts.locked), [made, facts.phase, facts.locked])
  useEffect(() => {
    if (!made || !active) return
    made.surface.focus()
    void made.model.look()
  }, [made, active])

  const client = useClient()
  useEffect(() => {
    if (!made || !client || device !== ELSEWHERE) return
    const watching = client.onDidChangeDataset(() => void made.model.look())
    return () => watching.dispose()
  }, [made, client, device])

  return { place, model: made?.model, surface: made?.surface, facts }
}
