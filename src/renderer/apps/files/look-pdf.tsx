import { getDocument, GlobalWorkerOptions, type PDFDocumentProxy } from 'pdfjs-dist'
// oxlint-disable-next-line import/default -- the address of the file, which Vite gives; raw.d.ts
import workerUrl from 'pdfjs-dist/build/pdf.worker.min.mjs?url'
import { useEffect, useRef, useState } from 'react'
import { Skeleton } from '../../ui/skeleton.tsx'
import { useIsLate } from '../app-hooks.ts'
import type { OpenView } from './file-view.ts'
import { Failed } from './look-states.tsx'

GlobalWorkerOptions.workerSrc = workerUrl

/** More are not laid out at once: a book of that many is read in a program made for it. */
const MAX_PAGES = 500
/** Largest drawing of a page, in pixels: sharp on a large screen, 16 MB of memory. */
const MAX_PAGE_PIXELS = 4_000_000
/** Pages drawn before they come into sight, above and below. */
const AHEAD = '600px'

/**
 * A PDF, read by range in a worker and drawn page by page as each comes into sight. Scripts, forms and links in it are dead; nothing
 * of it becomes part of the page but the pixels.
 */
export default function LookPdf(props: { view: OpenView; name: string; onFact: (fact: string) => void }) {
  const { view, name, onFact } = props
  const [pdf, setPdf] = useState<{ readonly file: PDFDocumentProxy; readonly ratio: number }>()
  const [error, setError] = useState<unknown>()
  useEffect(() => {
    const reading = getDocument({
      url: view.path,
      disableAutoFetch: true,
      disableStream: true,
      rangeChunkSize: 256 * 1024,
      useWasm: false,
      enableXfa: false,
      maxImageSize: 64_000_000,
      verbosity: 0,
    })
    let isOver = false
    const open = async () => {
      const file = await reading.promise
      const { width, height } = (await file.getPage(1)).getViewport({ scale: 1 })
      if (isOver) return
      setPdf({ file, ratio: height / width })
      onFact(`${file.numPages.toLocaleString('en-US')} ${file.numPages === 1 ? 'page' : 'pages'}`)
    }
    open().catch((failure: unknown) => !isOver && setError(pdfError(failure)))
    return () => {
      isOver = true
      void reading.destroy()
    }
  }, [view, onFact])
  const late = useIsLate(!pdf && error === undefined)
  if (error !== undefined) return <Failed error={error} />
  if (!pdf) return late ? <Skeleton lines={6} label={`Reading ${name}`} /> : null
  const pages = Math.min(pdf.file.numPages, MAX_PAGES)
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls: the keyboard must reach it
    <div className="look-pdf" tabIndex={0} role="group" aria-label={`Pages of ${name}`}>
      {Array.from({ length: pages }, (_, index) => (
        // oxlint-disable-next-line react/no-array-index-key -- a page is its number
        <Page key={index} file={pdf.file} number={index + 1} of={pdf.file.numPages} ratio={pdf.ratio} />
      ))}
      {pdf.file.numPages > MAX_PAGES && (
        <p className="look-more">Only the first {MAX_PAGES} pages are shown. Download it to see the rest.</p>
      )}
    </div>
  )
}

/** One page: drawn while it is near, else an empty sheet of its size. */
function Page(props: { file: PDFDocumentProxy; number: number; of: number; ratio: number }) {
  const { file, number } = props
  const sheet = useRef<HTMLDivElement>(null)
  const [isNear, setNear] = useState(false)
  const [ratio, setRatio] = useState(props.ratio)
  useEffect(() => {
    const element = sheet.current
    if (!element) return
    const observer = new IntersectionObserver(([seen]) => setNear(seen?.isIntersecting ?? false), {
      root: element.parentElement,
      rootMargin: AHEAD,
    })
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  useEffect(() => {
    const element = sheet.current
    if (!element || !isNear) return
    const canvas = document.createElement('canvas')
    let stop = () => {}
    let isOver = false
    const draw = async () => {
      const page = await file.getPage(number)
      const natural = page.getViewport({ scale: 1 })
      const wanted = (element.clientWidth * devicePixelRatio) / natural.width
      const scale = Math.min(wanted, Math.sqrt(MAX_PAGE_PIXELS / (natural.width * natural.height)))
      const viewport = page.getViewport({ scale })
      if (isOver) return
      setRatio(natural.height / natural.width)
      canvas.width = Math.max(1, Math.floor(viewport.width))
      canvas.height = Math.max(1, Math.floor(viewport.height))
      const drawing = page.render({ canvas, viewport })
      stop = () => drawing.cancel()
      await drawing.promise
      if (!isOver) element.replaceChildren(canvas)
    }
    draw().catch(() => undefined) // left meanwhile, or this one page is broken: it stays an empty sheet
    return () => {
      isOver = true
      stop()
      element.replaceChildren()
    }
  }, [file, number, isNear])
  return (
    <div
      ref={sheet}
      className="look-pdf-page"
      role="img"
      aria-label={`Page ${number} of ${props.of}`}
      style={{ aspectRatio: `1 / ${ratio}` }}
    />
  )
}

/** What pdf.js throws, in words. */
function pdfError(failure: unknown): Error {
  const name = failure instanceof Error ? failure.name : ''
  if (name === 'PasswordException') {
    const words = 'It is locked with a password of its own. Download it to open it in another program.'
    return Object.assign(new Error(words), { code: 'files/pdf-locked' })
  }
  const words = 'Its bytes are not a PDF that can be drawn here. Download it to open it in another program.'
  return Object.assign(new Error(words), { code: 'files/not-a-pdf' })
}
