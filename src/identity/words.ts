/**
 * 1,024 English words for pairing codes and safety words (rule ID30): three to eight letters, no two alike in their first
 * four, chosen to be told apart when read aloud. Their order is part of the format: it never changes.
 */
export const WORDS: readonly string[] = `
able acid acorn acre actor adult agent agile airy alarm album alder alert algae alibi alley almond alpha alpine
amber amigo ample anchor angle ankle annex anvil april apron arch arena argue armor aroma arrow artist ash aspen
asset atlas atom attic audio august aunt author autumn avenue avid awake award axis azure baby bacon badge bagel
baker balcony ballet bamboo banana banjo bank barley barn barrel basil basket bath bead beaver bedrock beetle
belt bench bike birch bishop bison black blanket blaze blink bloom blue board boat bobcat boiler bonfire bonus
book boost bottle boulder bounce bowl box brave breeze brick bright bronze brown brush bubble bucket buddy
budget buffalo bugle bulb bundle bunny burger burrow bus butter buzz cabin cactus cadet cake calm camel canal
candle canoe canvas canyon captain caravan carbon card cargo carpet carrot carve castle cat cedar celery cello
cement census chalk champ chapel charm cheese chef cherry chess chime chin chorus cider cinema circle citrus
city clam clarinet clay clean clever cliff climb clinic cloak club coach coast cobalt cobra cocoa coffee cola
colony comet comic compass copper coral cotton cougar cousin cover coyote crab cradle crane crater crayon cream
crew cricket crimson crisp crow cruise crystal cube cuckoo cup curb curl curry curtain cushion custom cycle
daisy dance dapper dash date dawn deck delta demo denim depot depth desert detail dial diamond diary diesel diet
digit disco diver dock doctor dodge dolphin domain domino donkey donut door dose double dove dragon drama dress
drift drill drink duet dune dusk eager eagle early earth easel east echo eclipse edge editor eel egg eight
elastic elbow elegant elf elk emerald empire empty enamel energy engine enjoy epic equal era errand essay estate
exact exit expert extra eye fabric face falcon family fancy farm fashion father fawn felt fence fern festival
fiber fiddle field fig film final finger fire fish five fjord flag flame flannel flash fleet flint float flora
fluid flute fly foam focus folk forest fort fossil fountain fox freckle fresh friend frog frost fruit fudge fuel
funnel fur future gadget galaxy gallop game garden garlic garnet gazelle gecko gem genius gentle geyser giant
gift giraffe glacier glass glide globe glory glow glue gnome gold gondola goose gopher gorilla gospel grain
grand grape gravel green grid grocer group grove guava guitar gulf gust gym habit haiku half hammer hamster hand
happy harbor harmony harp harvest hawk hazel heart heath helium helmet hemlock herb hickory hidden hiker hill
hinge hippo hobby hockey holiday hollow honey hood hope horizon horn hostel house human humble hummus hunter
husky hut hybrid hymn ice icon idea igloo image impulse inch index indigo infant inlet inner input insect iris
iron island item ivory ivy jacket jade jaguar jam january jar jasmine jazz jeans jelly jersey jewel jigsaw join
joke journey joy juice july jumbo jungle junior jury just kale kangaroo karate kayak keen kelp kettle key kidney
kind kingdom kiosk kitchen kite kitten kiwi knife koala label ladder lady lagoon lake lamb lamp lantern laptop
large lark lasso latch lava layer lazy leaf league lecture legend lemon lens leopard letter level library lilac
lily lime linen lion lizard llama lobster local locket logic long loop lotus loud lucky lullaby lumber lunar
lunch luxury lynx lyric machine magic magnet magpie major mammoth mango maple marble margin marina market marsh
mason master maze meadow melon member mentor menu merit mermaid meteor method metro midnight milk mimic mineral
minnow mint minute mirror mixer moat mocha modest moment monday month moon mosaic moss motel motor movie muffin
museum music mustard mystery nacho napkin nation nature navy nearby neat nectar needle nephew neptune neutral
nickel nimble nine noble noise noodle noon north notebook novel nurse nutmeg nylon oak oasis obelisk object oboe
ocean october odyssey office often olive omega omelet onion onyx opal opera optic orange orbit orchard order
organ origin osprey ostrich otter oval oven owl oxygen oyster pacific paddle page paint palace palm pancake
panda panel panther papaya paper parade park party pasta path patio patrol peach peanut pebble pecan pelican
pencil penguin pepper perfume pet phone photo piano picnic picture pigeon pilgrim pillow pink pioneer pirate
pixel pizza planet plaza plus poem polar polka polo pond pony popcorn poppy porch postal potato powder prairie
present prism proud public pudding pull pulse puma pumpkin pupil puppet purple puzzle pyramid quail quality
quartz queen quest quick quiet quiz rabbit raccoon race radar radio raft ranger rapid raven razor reader recipe
record redwood regal relax remedy rental report rescue rhino rhubarb rhythm ribbon ridge ripple robin robot
rodeo roof room rope round royal ruby rug rumba runner rustic safari saga salad salmon salsa salt sand sapphire
sardine satin sauce sausage savanna scarf scene school science scooter scout screen script sculptor season
second seed select senior sequoia seven shadow shark shell sheriff shield ship shore shoulder shrimp sigma silk
silver simple siren sister sixty skate sketch ski skunk sky sled sleeve slice slope small smile smooth snack
snail snow soap soccer social soda soft soldier solid solo sonar sonnet soprano soup south space speaker sphere
spider spinach spiral spoon sport spring spruce square squid stable stadium stamp star station steam stereo
stilt stone stork straw studio sugar summer surf swan swift swim sword syrup system taco talent tank tape target
tavern taxi teapot tempo tennis tent terrace theater thimble thistle thread throne thumb thunder ticket tiger
timber tiny titan toga token tomato topaz tornado tortoise total toucan tower toy track trail tree trident trio
trophy trout trumpet trust tuba tulip tuna tundra turbo turkey turnip turtle tutor twelve twenty twin type ultra
umbrella uncle unicorn unit upper urban urchin usual vacant vacuum vampire vanilla vapor vase vault vector
velvet vendor venus verse vest viaduct victory video view villa vine vintage virtue visit vista vital vivid
voice volcano volume vortex voyage waffle wagon walnut walrus waltz wander warm washer wasp water wave wax web
wedding weekend west wheat wheel whisper white wicker widget window winter wisdom wish wolf wombat wool world
wren wrist writer yacht yard year yellow yeti yoga yogurt young zebra zenith zero zigzag zinc zipper zodiac zone
zoo
`
  .trim()
  .split(/\s+/)

/** Bits that one word stands for. */
export const WORD_BITS = 10
