/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "sample-words.h"

SampleWords sample_words[SAMPLE_N_LISTS];

/* Words are divided by '|'. The order is part of what a seed means: append, never insert. */
static const char *const lists[SAMPLE_N_LISTS] = {
    [SAMPLE_FIRST_NAMES] =
        "Adela|Agnes|Aiko|Alba|Amara|Anders|Anouk|Arjun|Astrid|Aylin|Bela|Bruno|Camila|Carmen|"
        "Chiara|Clara|Dagny|Damir|Daria|Diego|Edda|Eero|Elena|Elif|Emeka|Enzo|Esra|Fatima|Felix|"
        "Fiona|Freya|Gala|Goran|Greta|Hana|Hakon|Hugo|Ida|Ilse|Imani|Ines|Ivo|Jamal|Jana|Jens|"
        "Joanna|Kaito|Karin|Kenji|Kofi|Lale|Lars|Leila|Levi|Lorenzo|Lucia|Maja|Malik|Marek|Marta|"
        "Mateo|Mila|Mira|Nadia|Naoki|Nils|Noor|Olga|Omar|Oskar|Paloma|Pavel|Petra|Priya|Quentin|"
        "Rafael|Rania|Ravi|Renata|Rosa|Samir|Sanna|Selma|Sofia|Stefan|Sven|Tara|Tamar|Theo|Tilda|"
        "Tomas|Ulla|Uma|Vera|Viktor|Wanda|Yara|Yusuf|Zara|Zoltan",
    [SAMPLE_LAST_NAMES] =
        "Abara|Adler|Almeida|Andersson|Arslan|Banerjee|Bauer|Berg|Bianchi|Borges|Brandt|Castro|"
        "Chavez|Costa|Dahl|Demir|Diallo|Dubois|Duarte|Eklund|Engel|Eriksen|Esposito|Farkas|Fischer|"
        "Fontaine|Garcia|Gruber|Haas|Hansen|Herrera|Hoffmann|Horvat|Ibarra|Ito|Ivanova|Jansen|"
        "Jovanovic|Kaya|Keller|Khan|Kimura|Kovacs|Kowalski|Kruger|Lang|Larsen|Lehmann|Lindgren|"
        "Lopez|Maier|Marino|Mbeki|Mendes|Moreau|Moretti|Mueller|Nakano|Navarro|Nemeth|Nguyen|"
        "Nilsson|Novak|Okafor|Olsen|Ortega|Ozturk|Park|Patel|Pereira|Petrov|Pinto|Popescu|Rahman|"
        "Reyes|Ricci|Rossi|Sato|Schmidt|Silva|Singh|Sorensen|Suzuki|Szabo|Tanaka|Toth|Vargas|"
        "Vasquez|Virtanen|Vogel|Wagner|Weber|Winter|Yamada|Yildiz|Zeman|Zimmer|Zoric",
    [SAMPLE_TITLES] = "Mr.|Mrs.|Ms.|Mx.|Dr.|Prof.",
    [SAMPLE_GENDERS] = "Female|Male|Nonbinary|Other",
    [SAMPLE_LANGUAGES] =
        "Arabic|Bengali|Catalan|Croatian|Czech|Danish|Dutch|English|Estonian|Finnish|French|"
        "German|Greek|Hausa|Hindi|Hungarian|Igbo|Italian|Japanese|Korean|Latvian|Malay|Mandarin|"
        "Norwegian|Polish|Portuguese|Romanian|Serbian|Slovak|Spanish|Swahili|Swedish|Tamil|Thai|"
        "Turkish|Ukrainian|Urdu|Vietnamese|Yoruba|Zulu",
    [SAMPLE_DEGREES] = "None|Diploma|Bachelor|Master|Doctorate|Licentiate",
    [SAMPLE_NATIONALITIES] =
        "Argentine|Austrian|Belgian|Brazilian|Canadian|Chilean|Croatian|Czech|Danish|Dutch|"
        "Egyptian|Estonian|Finnish|French|German|Ghanaian|Greek|Hungarian|Indian|Irish|Italian|"
        "Japanese|Kenyan|Korean|Mexican|Moroccan|Nigerian|Norwegian|Polish|Portuguese|Romanian|"
        "Senegalese|Serbian|Slovak|Spanish|Swedish|Swiss|Turkish|Ukrainian|Vietnamese",
    [SAMPLE_OCCUPATIONS] =
        "Accountant|Actor|Archivist|Baker|Barber|Beekeeper|Blacksmith|Bookbinder|Botanist|"
        "Bricklayer|Bus driver|Butcher|Carpenter|Cartographer|Chemist|Clockmaker|Cook|Dentist|"
        "Diver|Editor|Electrician|Engineer|Farmer|Firefighter|Fisher|Florist|Forester|Gardener|"
        "Geologist|Glazier|Interpreter|Joiner|Journalist|Judge|Librarian|Lighthouse keeper|"
        "Locksmith|Mathematician|Mechanic|Midwife|Miller|Musician|Nurse|Optician|Painter|"
        "Pharmacist|Pilot|Plumber|Potter|Roofer|Sailor|Shepherd|Stonemason|Surveyor|Tailor|"
        "Teacher|Train driver|Translator|Watchmaker|Weaver",
    [SAMPLE_BLOOD_TYPES] = "0+|0-|A+|A-|B+|B-|AB+|AB-",
    [SAMPLE_STREETS] =
        "Abbey Road|Acorn Way|Alder Lane|Amber Street|Anchor Quay|Apple Row|Arch Street|Ash Grove|"
        "Bakery Lane|Beacon Hill|Beech Avenue|Bell Yard|Birch Walk|Bridge Street|Brook Lane|"
        "Canal Side|Castle Street|Cedar Close|Chapel Hill|Cherry Lane|Clover Field|Copper Street|"
        "Cotton Row|Dune Road|East Gate|Elder Path|Elm Street|Falcon Road|Fern Bank|Ferry Lane|"
        "Forge Street|Fountain Square|Garden Row|Granary Road|Harbour View|Hazel Lane|Heath Road|"
        "Hill Rise|Ivy Court|Juniper Way|Kiln Lane|Lake Road|Lantern Street|Lark Rise|Linden Alley|"
        "Maple Drive|Market Place|Meadow Road|Mill Lane|Moss Street|North Parade|Oak Avenue|"
        "Orchard Street|Pine Road|Poplar Row|Quarry Lane|River Street|Rowan Close|Saffron Hill|"
        "Willow Walk",
    [SAMPLE_CITIES] =
        "Aldermouth|Amberfield|Ashbridge|Averton|Bayhaven|Birchwood|Blackmere|Bramford|Brightwater|"
        "Brookvale|Calderon|Castlegate|Cedarburg|Clearwell|Cloverton|Coldspring|Cranmoor|Dalesford|"
        "Deepwater|Drayton|Eastmere|Edgewater|Elmstead|Fairhaven|Falconbridge|Fernwood|Foxhollow|"
        "Glenbrook|Goldcrest|Greenhurst|Harborough|Hazelton|Highmoor|Hollowell|Ironbridge|"
        "Ivybridge|"
        "Kingsmoor|Lakemont|Larkhill|Lindenau|Longmere|Maplewood|Marbury|Millbrook|Northwick|"
        "Oakhurst|Oldbridge|Orchard Bay|Pinecrest|Port "
        "Amaro|Quarryton|Ravensford|Redcliff|Riverton|"
        "Rosewood|Saltmarsh|Sandhaven|Silverlake|Southgate|Springwell|Stonebridge|Sunfield|"
        "Thornbury|Valmont|Westbrook|Whitecliff|Willowdale|Windmere|Woodstock|Yarrow",
    [SAMPLE_PROVINCES] =
        "Alderland|Amberia|Bright Coast|Cedar Plains|Coral Isles|East Marches|Fern Hills|Granite|"
        "Great Basin|Heather|High Valleys|Inner Lakes|Lower Delta|Middle Shire|Mistral|North Reach|"
        "Old Forest|Pearl Bay|Red Steppe|Saffron|Silver Coast|South Reach|Three Rivers|Upper Delta",
    [SAMPLE_STATES] =
        "Arcadia|Boreal|Cascade|Delmar|Estuary|Fjordland|Glacier|Highland|Inland|Juniper|Karst|"
        "Lagoon|Montara|Nordmark|Oriente|Prairie|Quartz|Ridge|Savanna|Tundra|Upland|Vale|Westmark|"
        "Zephyr",
    [SAMPLE_COUNTRIES] = "AR|AT|BE|BR|CA|CH|CL|CZ|DE|DK|EE|EG|ES|FI|FR|GB|GH|GR|HR|HU|IE|IN|IT|"
                         "JP|KE|KR|MA|MX|NG|NL|NO|PL|PT|RO|RS|SE|SK|SN|TR|UA|US|VN",
    [SAMPLE_MAKES] = "Altana|Borealis|Corvane|Dromeda|Estrado|Fulmar|Gavotte|Halden|Isara|Jorvik",
    [SAMPLE_MODELS] = "Arrow|Breeze|Comet|Drift|Ember|Flint|Gale|Harrier|Iris|Juno",
};

static void
words_fill(SampleWords *list, const char *text, gboolean lower)
{
    g_auto(GStrv) parts = g_strsplit(text, "|", -1);
    list->n = g_strv_length(parts);
    list->words = g_new0(SampleWord, list->n);
    for (guint i = 0; i < list->n; i++) {
        g_autofree char *small = lower ? g_ascii_strdown(parts[i], -1) : g_strdup(parts[i]);
        gsize n = strlen(small);
        g_assert(n < sizeof list->words[i].text);
        memcpy(list->words[i].text, small, n);
        list->words[i].n = (guint8)n;
    }
}

void
sample_words_init(void)
{
    for (guint i = 0; i < SAMPLE_N_LISTS; i++)
        if (lists[i] != NULL && sample_words[i].words == NULL)
            words_fill(&sample_words[i], lists[i], FALSE);
    if (sample_words[SAMPLE_FIRST_NAMES_LOWER].words != NULL)
        return;
    words_fill(&sample_words[SAMPLE_FIRST_NAMES_LOWER], lists[SAMPLE_FIRST_NAMES], TRUE);
    words_fill(&sample_words[SAMPLE_LAST_NAMES_LOWER], lists[SAMPLE_LAST_NAMES], TRUE);
}
