"""Sentences to train ears and lips on, written for this project: everyday speech in fifteen languages."""

from __future__ import annotations

import numpy as np

SENTENCES: dict[str, tuple[str, ...]] = {
    "en-us": (
        "Good morning, everybody, and thank you for making time for me today.",
        "My brother Bob bought a pale blue van from a man in Vermont.",
        "Five farmers were walking over the bridge before the fog lifted.",
        "Please put the bowl of plums beside the vase by the window.",
        "We have waited above an hour, and nobody has opened the door.",
        "She measures the pressure twice a year, usually in January and June.",
        "If you move the lamp a bit, both of us could read the map.",
        "What would you choose, a warm room or a view of the ocean?",
        "The judge thought about it, shook her head and left the chamber.",
        "I am afraid that your voice was lost in all of that noise.",
        "Peppers, beans, figs and a few ripe apples, that will be enough.",
        "There was hardly any room for the movers between the piano and the wall.",
        "He whispered something very odd about a yellow umbrella.",
        "Would you mind if we invited Emma's family for supper on Wednesday?",
        "A huge wave broke over the pier and soaked the whole wedding party.",
        "Nothing makes me happier than rain on a roof and a book in my lap.",
        "Oh, come on, you must have heard of the famous puppet theatre!",
        "The company hopes to employ about forty-five people by next autumn.",
        "I never meant to bother anyone, but somebody had to say it.",
        "Watch your fingers, the oven is hot and the plate is heavier than it looks.",
        "Their youngest child laughs at everything, even at the weather report.",
        "Maybe we ought to phone them before we board the boat.",
        "A vague promise is worse than no promise at all, my father used to say.",
        "You could hear the music through the thick walls of the old mill.",
    ),
    "en-gb-x-rp": (
        "We have rather a lot of work before us, so let us begin at once.",
        "The bus was late again, and half of the passengers were furious.",
        "Would you pour me a cup of tea while I look for the marmalade?",
        "My aunt keeps bees and four plump white geese behind her cottage.",
        "It may be possible to move the meeting to Friday afternoon.",
        "Both brothers vowed that they had never been to the north of the island.",
    ),
    "fr": (
        "Bonjour madame, je voudrais deux billets pour le bateau de midi.",
        "Mon voisin promène son petit chien blanc au bord du fleuve.",
        "Il a beaucoup plu pendant la nuit et la route est fermée.",
        "Vous pouvez m'appeler demain matin, je serai au bureau.",
        "Ma fille veut un vélo bleu pour son anniversaire.",
        "On n'a jamais vu un aussi beau feu d'artifice dans ce village.",
        "Peut-être que les ouvriers finiront le pont avant le mois de juin.",
    ),
    "es": (
        "Buenas tardes, me gustaría probar la sopa de verduras.",
        "Mi abuelo pescaba por la noche con un farol y mucha paciencia.",
        "El viento movía las hojas y nadie hablaba en la plaza.",
        "Vamos a comprar pan, huevos, jamón y una bolsa de naranjas.",
        "No sé por qué llegaron tan tarde si viven aquí cerca.",
        "Hubo mucha gente en la fiesta, pero faltaba mi mejor amigo.",
    ),
    "de": (
        "Guten Morgen, ich hätte gern ein Pfund Äpfel und vier Birnen.",
        "Am Bahnhof wartete ein älterer Mann mit einem bunten Schirm.",
        "Wenn das Wetter so bleibt, fahren wir übermorgen ans Meer.",
        "Meine Schwester übt jeden Abend zwei Stunden Klavier.",
        "Können Sie mir bitte sagen, wo ich das Museum finde?",
        "Früher war hier eine Mühle, heute wohnen fünf Familien darin.",
        "Der Bäcker packt warme Brötchen in eine braune Papiertüte.",
    ),
    "it": (
        "Buongiorno, vorrei prenotare un tavolo per quattro persone.",
        "Mio fratello ha dipinto la barca di bianco e di verde.",
        "Quando finisce la pioggia andiamo a fare una passeggiata.",
        "La nonna preparava il pane ogni venerdì prima dell'alba.",
        "Non trovo più le chiavi, forse sono rimaste in ufficio.",
        "Il bambino guarda le onde e ride con la bocca aperta.",
    ),
    "pt-br": (
        "Boa noite, a senhora poderia abrir a porta do elevador?",
        "Meu primo plantou uma fileira de bananeiras atrás da casa.",
        "Amanhã cedo vamos pegar o ônibus para a praia.",
        "Nunca provei um bolo de fubá tão bom quanto este.",
        "O menino perdeu o chapéu vermelho no meio da feira.",
        "Ninguém sabia explicar por que a ponte foi fechada.",
    ),
    "nl": (
        "Goedemorgen, mag ik van u twee bruine broden en een pot honing?",
        "Mijn buurvrouw fietst iedere dag door het park naar haar werk.",
        "Vanavond eten we vis met aardappelen en verse bonen.",
        "Weet jij waarom de boot vandaag niet vertrekt?",
        "Het waaide zo hard dat de paraplu wegvloog.",
    ),
    "sv": (
        "God morgon, jag skulle vilja köpa fem biljetter till båten.",
        "Min farbror bygger ett litet hus vid stranden.",
        "Vi såg en älg bland björkarna när vi åkte hem.",
        "Kan du hjälpa mig att bära upp möblerna?",
        "På vintern brukar hela byn åka skidor tillsammans.",
    ),
    "pl": (
        "Dzień dobry, poproszę bochenek chleba i pół kilo pomidorów.",
        "Mój brat naprawia rowery w małym warsztacie pod mostem.",
        "Wczoraj wieczorem padał śnieg, a rano świeciło słońce.",
        "Czy mogę otworzyć okno, bo jest tu bardzo duszno?",
        "Babcia opowiadała nam bajki przy piecu.",
    ),
    "ru": (
        "Добрый день, можно мне чашку чая и булочку с маком?",
        "Мой брат живёт в маленьком городе у самого моря.",
        "Вечером мы пойдём в парк и будем слушать музыку.",
        "Почему ты вчера не позвонил, я очень волновалась.",
        "Бабушка варит варенье из яблок и поёт песни.",
        "Поезд опоздал на пять минут, но никто не заметил.",
    ),
    "tr": (
        "Günaydın, bana bir bardak çay ve iki simit verir misiniz?",
        "Babam bahçedeki ağaçları her bahar budar.",
        "Yağmur başlayınca bütün çocuklar eve koştu.",
        "Vapur beş dakika sonra iskeleden ayrılacak.",
        "Bu akşam misafirler gelmeden önce sofrayı kuralım.",
    ),
    "hi": (
        "नमस्ते, कृपया मुझे एक कप चाय और पानी दीजिए।",
        "मेरा भाई हर सुबह नदी के पास घूमने जाता है।",
        "बारिश के बाद बगीचे में मोर नाच रहे थे।",
        "क्या आप मुझे बता सकते हैं कि बस कब आएगी?",
        "माँ ने बच्चों के लिए मीठी खीर बनाई।",
    ),
    "ja": (
        "おはようございます、きっぷをにまいください。",
        "わたしのあにはうみのちかくにすんでいます。",
        "あめがやんだら、こうえんまであるきましょう。",
        "このパンはとてもやわらかくて、おいしいですね。",
        "まどをあけてもいいですか、へやがあついです。",
    ),
    "cmn-latn-pinyin": (
        "ni3 hao3, wo3 xiang3 mai3 liang3 zhang1 qu4 bei3 jing1 de5 piao4.",
        "wo3 ma1 ma5 mei3 tian1 zao3 shang5 qu4 gong1 yuan2 pao3 bu4.",
        "wai4 mian4 xia4 yu3 le5, bie2 wang4 le5 dai4 san3.",
        "zhe4 ge4 mian4 bao1 fei1 chang2 hao3 chi1.",
        "ta1 men5 bu4 zhi1 dao4 wei4 shen2 me5 huo3 che1 wan3 dian3 le5.",
    ),
    "ko": (
        "안녕하세요, 커피 두 잔하고 빵 하나 주세요.",
        "우리 아버지는 매일 아침 산에 올라가십니다.",
        "비가 그치면 바다를 보러 갑시다.",
        "그 영화는 정말 재미있었지만 조금 길었어요.",
        "버스가 왜 안 오는지 아무도 몰랐습니다.",
    ),
}  # fmt: skip
"""Voice of eSpeak NG -> sentences in its language, rich in sounds that move the lips."""


def random_text(voice: str, rng: np.random.Generator) -> str:
    """Something to say for one of the voices of `SENTENCES`: a sentence, or words of the language in any order."""
    sentences = SENTENCES[voice]
    if rng.random() < 0.5:
        return str(rng.choice(sentences))
    words = [word.strip(".,?!、。।") for sentence in sentences for word in sentence.split()]
    return " ".join(rng.choice(words, size=int(rng.integers(5, 13)))) + "."
