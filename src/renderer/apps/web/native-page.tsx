import { ExternalLink, Globe } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import type { Wish } from '../../../main/electron/native-contract.ts'
import { PageFailure } from '../../native/failure-words.ts'
import { answerQuestion, focusView, followPage, hideView, showView, tell, useNativeTab } from '../../native/native-tabs.ts'
import { ViewPlacer } from '../../native/view-place.ts'
import { Button } from '../../ui/button.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { Strip } from '../strip.tsx'
import { openOutside } from './open-outside.ts'
import { shortAddress } from './web-address.ts'

/** A page in a native view, with what it asks for and what went wrong in the desk's own words. */
export function NativePage({ tabId, url, title }: { tabId: string; url: string; title: string }) {
  const { change, asking, refusal, generation } = useNativeTab(tabId)
  const failure = refusal ?? (change?.failure === undefined ? undefined : new PageFailure(change.failure))

  useEffect(() => followPage(tabId, url), [tabId, url])

  if (failure) {
    return (
      <ErrorState
        title="The page could not be opened"
        error={failure}
        safe="The rest of your desk is not affected."
        action={
          <>
            {change && <Button onClick={() => tell(tabId, 'reload')}>Try again</Button>}
            <Button icon={<ExternalLink aria-hidden="true" />} onClick={() => openOutside(url)}>
              Open outside
            </Button>
          </>
        }
      />
    )
  }
  const [question] = asking
  return (
    <div className="web-native">
      {question && (
        <Strip
          actions={
            <>
              <Button variant="quiet" onClick={() => answerQuestion(question, false)}>
                Do not allow
              </Button>
              <Button onClick={() => answerQuestion(question, true)}>Allow</Button>
            </>
          }
        >
          {`${question.site} wants to ${wishWords(question.wishes)}. If you allow it, it holds for this site until Elsewhere ends.`}
        </Strip>
      )}
      <View key={generation} tabId={tabId} url={url} title={title} />
    </div>
  )
}

/** Where the view lies. While it has to be out of sight, how it looked stands there. */
function View({ tabId, url, title }: { tabId: string; url: string; title: string }) {
  const place = useRef<HTMLDivElement>(null)
  const [picture, setPicture] = useState<string>()

  useEffect(() => {
    if (!place.current) return
    const placer = ViewPlacer.follow(place.current, {
      show: (bounds) => showView(tabId, bounds),
      hide: (wanted) => hideView(tabId, wanted),
      setPicture,
    })
    return () => placer.dispose()
  }, [tabId])

  return (
    <div
      ref={place}
      className="web-view"
      role="document"
      tabIndex={0}
      aria-label={title || shortAddress(url)}
      data-native-view={tabId}
      onFocus={(event) => {
        // The keyboard goes to the page; the desk's own focus must not bring it there again when it comes back.
        event.currentTarget.closest<HTMLElement>('[data-window]')?.focus({ preventScroll: true })
        focusView(tabId)
      }}
    >
      {picture ? (
        <img src={picture} alt="" draggable={false} />
      ) : (
        <p aria-hidden="true">
          <Globe />
          {shortAddress(url)}
        </p>
      )}
    </div>
  )
}

const WISH_WORDS: Readonly<Record<Wish, string>> = {
  location: 'know where you are',
  notifications: 'show notifications',
  clipboard: 'read what you have copied',
  camera: 'use the camera',
  microphone: 'use the microphone',
}
const wishWords = (wishes: readonly Wish[]): string => wishes.map((wish) => WISH_WORDS[wish]).join(' and ')
