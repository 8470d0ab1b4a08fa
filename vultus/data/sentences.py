"""Things to say: a few sentences in each of many languages, written for this project, and new ones from their words."""

from __future__ import annotations

import random

SENTENCES: dict[str, tuple[str, ...]] = {
    "en-us": (
        "Maybe we could move the meeting to Friday, before everybody leaves for the mountains.",
        "My brother plays the piano badly, but his baby loves every bit of it.",
        "The committee will vote on a much better proposal in about five months.",
        "Would you please open the window and push the blue chair over there?",
        "Nobody knew what happened to the boat after the flood of last November.",
        "She bought a pound of butter, four purple plums and a very fresh fish.",
        "I have often wondered how the birds find their way home across the ocean.",
        "Good evening, and thank you for being with us on this rather stormy night.",
        "The museum opens at half past eight; both visitors waited by the front door.",
        "When the judge asked him, he only shrugged and looked away.",
        "A huge wave washed over the wharf and took away five empty barrels.",
        "Those who believe this should measure it themselves with a proper ruler.",
        "We used to walk through the woods and watch foxes jump over the brook.",
        "Choose a smooth stone, throw it far, and count how often it bounces.",
        "This is the third time that the machine stopped in the middle of the job.",
        "Health, work and family matter far more than money or power.",
        "Oh no, I absolutely forgot to bring the map of the village.",
        "The president promised more jobs, lower prices and a fair peace.",
        "If the weather is fine we will have breakfast under the apple tree.",
        "He whispered something about a treasure beneath the old chapel.",
        "People always ask me why I never moved to a bigger town.",
        "Could you show me where the shop is that sells yellow shoes?",
        "Each of us has a voice, and every voice ought to be heard.",
        "Computers speak quite well these days, but they hardly ever laugh.",
    ),
    "en-gb": (
        "The tall farmer brought a bottle of rather warm milk from the far barn.",
        "We shall never know whether the vicar borrowed the umbrella on purpose.",
        "Half the pupils thought that the bath was full of frogs.",
        "Please mind the gap and move along the platform to the front of the train.",
        "What a lovely morning for a brisk walk over the moor.",
    ),
    "fr": (
        "Bonsoir madame, voulez-vous boire un peu d'eau fraîche avant le repas?",
        "Mon petit frère a perdu son chapeau bleu dans le jardin public.",
        "Nous avons vu beaucoup de monde sur la place du village.",
        "Il pleut depuis lundi et personne ne veut sortir de la maison.",
        "Les oiseaux chantent au-dessus de la vieille fabrique de papier.",
        "Je pense qu'il vaut mieux attendre jusqu'à demain matin.",
    ),
    "es": (
        "Buenas noches, mi amigo quiere beber un vaso de agua fría.",
        "La abuela preparó una sopa muy buena con verduras del pueblo.",
        "Nunca pude aprender a bailar, pero me gusta mucho la música.",
        "El barco salió del puerto con viento fuerte y poca gente.",
        "¿Por qué no vamos juntos a ver la película nueva el jueves?",
    ),
    "de": (
        "Am Abend fuhren wir mit dem Boot über den breiten Fluss.",
        "Möchten Sie vielleicht ein Stück Apfelkuchen mit Sahne probieren?",
        "Meine Schwester wohnt seit fünf Jahren in einem kleinen Dorf am Meer.",
        "Der Bürgermeister versprach, die Brücke bald wieder aufzubauen.",
        "Ich weiß nicht, warum das Pferd plötzlich stehen blieb.",
    ),
    "it": (
        "Buongiorno, vorrei comprare un vestito bianco per mia moglie.",
        "Il bambino ha mangiato troppe prugne e adesso ha mal di pancia.",
        "Domani mattina partiamo presto per vedere il lago e le montagne.",
        "Non capisco perché la porta della fabbrica sia sempre aperta.",
    ),
    "pt-br": (
        "Boa noite, meu pai trouxe um bolo de banana para a festa.",
        "A menina viu um pássaro vermelho voando sobre a praia.",
        "Ninguém sabe por que o trem parou no meio da ponte.",
        "Amanhã vou ao mercado comprar pão, peixe e feijão.",
    ),
    "ru": (
        "Вечером мы пили чай с вареньем и долго говорили о погоде.",
        "Моя бабушка живёт в маленьком доме у большой реки.",
        "Почему вы не пришли вчера на встречу с новым мэром?",
        "Белый пароход медленно плыл мимо пустого берега.",
    ),
    "cmn": (
        "今天晚上我们去看电影好不好？", "我的朋友买了一本很有意思的书。", "明天早上八点飞机就要起飞了。", "请你帮我把门打开，谢谢。",
        "妈妈做的饭比饭馆的好吃多了。",
    ),
    "ja": (
        "きょうはとてもさむいので、あたたかいスープがのみたいです。", "ともだちとうみへいって、おおきなふねをみました。", "ほんやはえきのまえにあります。", "あしたのあさ、またここであいましょう。",
    ),
    "pl": (
        "Dobry wieczór, proszę o butelkę wody i kawałek chleba.",
        "Mój brat pracuje w fabryce mebli pod miastem.",
        "Nie wiem, dlaczego wszyscy wyjechali przed burzą.",
    ),
    "hi": ("आज मौसम बहुत अच्छा है, चलो बाहर घूमने चलें।", "मेरे भाई ने बाजार से पाँच आम खरीदे।", "क्या आप मुझे पानी पिला सकते हैं?"),
    "tr": (
        "İyi akşamlar, bize biraz ekmek ve peynir verebilir misiniz?",
        "Büyük babam her sabah bahçede uzun uzun yürür.",
        "Yarın hava güzel olursa vapurla adaya gideceğiz.",
    ),
    "nl": (
        "Goedemorgen, mag ik een brood en vijf appels van u?",
        "Mijn buurvrouw fietst elke dag over de brug naar haar werk.",
        "Waarom heeft niemand ons verteld dat de boot al weg was?",
    ),
    "sv": (
        "God morgon, vill du ha en kopp kaffe med mjölk?",
        "Min bror bor i en liten by bredvid en stor sjö.",
        "Ingen vet varför båten stannade mitt på vattnet.",
    ),
}  # fmt: skip
"""By the language code of the voices; "sv" is kept for testing."""

_UNSPACED = frozenset({"cmn", "ja"})


def sentence(language: str, rng: random.Random) -> str:
    """Something to say: a written sentence, or five to twelve of the language's words in any order."""
    written = SENTENCES[language]
    if language in _UNSPACED or rng.random() < 0.4:
        return rng.choice(written)
    words = [word.strip(".,;?!¿।") for text in written for word in text.split()]
    return " ".join(rng.choice(words) for _ in range(rng.randint(5, 12))) + rng.choice(".?!")
