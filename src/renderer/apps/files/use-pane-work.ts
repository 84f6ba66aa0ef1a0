import { type DragEvent, useRef, useState } from 'react'
import { useOwnDevice } from '../app-hooks.ts'
import { carryFiles } from '../drag-payload.ts'
import { bringOut, type Outgoing } from './bring-out.ts'
import { pasteClip, takeClip, useClip } from './clip.ts'
import { carryOut, readyToDragOut } from './drag-out.ts'
import type { createFileActions } from './file-actions.ts'
import type { PaneEntry } from './file-source.ts'
import { takeBack, useFileSteps } from './file-undo.ts'
import { freeName, joinPath } from './home-path.ts'
import { uploadFiles } from './move-files.ts'
import { pinFiles } from './pin-file.ts'
import { notRunnable, runElsewhere, runPlaceOf } from './run-place.ts'
import { useMountedAt } from './use-mounted-at.ts'
import { selectAfter } from './selection.ts'
import type { PaneView } from './use-pane-view.ts'

/** What is done to the entries of a pane and to its folder. `focus`: the list has the keyboard again. */
export function usePaneWork(pane: PaneView, actions: ReturnType<typeof createFileActions>, reload: () => void, focus: () => void) {
  const { device, path, listing, chosen, meantBy, setSelection, fixedReason, awayReason } = pane
  const own = useOwnDevice()
  const mountedAt = useMountedAt(pane.isElsewhere)
  const clip = useClip((one) => one.clip)
  const lastStep = useFileSteps(({ steps }) => steps.at(-1))
  const [renaming, setRenaming] = useState<string>()
  const adding = useRef(false)
  const picker = useRef<HTMLInputElement>(null)
  const runPlace = path === undefined ? undefined : runPlaceOf(device, path, own, mountedAt)
  const choose = (name: string) => setSelection({ names: new Set([name]), anchor: name, cursor: name })
  const outgoing = (folder: string, entries: readonly PaneEntry[]): Outgoing => ({
    device,
    folder,
    entries: entries.filter(({ kind }) => kind !== 'other'),
  })
  const addFolder = async () => {
    if (adding.current) return // pressed twice: what is being made is not in the listing yet
    adding.current = true
    const name = freeName('New folder', new Set(listing?.entries.map((entry) => entry.name)))
    const made = await actions.makeFolder(name)
    adding.current = false
    if (!made) return
    choose(name)
    setRenaming(name)
  }
  return {
    picker,
    renaming,
    rename: setRenaming,
    endRename: (name: string | undefined) => {
      const from = renaming
      setRenaming(undefined)
      focus()
      if (from === undefined || name === undefined) return
      void actions.rename(from, name).then((done) => done && choose(name))
    },
    addFolder: fixedReason ? undefined : () => void addFolder(),
    put: (files: readonly File[]) =>
      path !== undefined &&
      void uploadFiles(
        device,
        path,
        files.map((file) => ({ path: file.name, file })),
      ).then(reload),
    take: (isCut: boolean) => path !== undefined && takeClip({ device, folder: path, entries: chosen(), isCut }),
    canPaste: clip !== undefined,
    paste: () => path !== undefined && !fixedReason && void pasteClip(device, path).then(reload),
    download: () => path !== undefined && !awayReason && void bringOut(outgoing(path, chosen())),
    /** Something of what is chosen can be kept on this device. */
    canPin: () => chosen().some(({ shared }) => shared && !shared.isLocal && !shared.pinned),
    pin: () => void pinFiles(chosen(), true).then(reload),
    trash: () => {
      const next = selectAfter(
        pane.selection,
        pane.entries.map(({ name }) => name),
      )
      void actions.trash(chosen()).then((isDone) => isDone && setSelection(next))
    },
    undone: lastStep?.title,
    undo: () => lastStep && void takeBack(lastStep).then(reload),
    notRunnable: runPlace && notRunnable(runPlace, own),
    run: (entry: PaneEntry) =>
      runPlace &&
      void runElsewhere(
        runPlace,
        entry,
        meantBy(entry).map(({ name }) => name),
      ),
    /** The button of a mouse is down on these: they may be dragged out of the browser. */
    press: (names: ReadonlySet<string>) =>
      path !== undefined &&
      void readyToDragOut(
        outgoing(
          path,
          pane.entries.filter(({ name }) => names.has(name)),
        ),
      ),
    drag: (event: DragEvent, entry: PaneEntry) => {
      if (path === undefined || runPlace === undefined) return
      const dragged = meantBy(entry)
      const names = dragged.map(({ name }) => name)
      const isFolder = names.length === 1 && entry.kind === 'folder'
      carryOut(event.dataTransfer, event.currentTarget, outgoing(path, dragged))
      carryFiles(event.dataTransfer, { device, paths: names.map((name) => joinPath(path, name)) }, { ...runPlace, names, isFolder })
    },
  }
}

export type PaneWork = ReturnType<typeof usePaneWork>
