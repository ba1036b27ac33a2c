"""Words that tell names of persons from other names, without accents and in lower case."""

_GIVEN_NAMES = """
aaron abdul abigail adam adrian agnes agnieszka ahmed aisha alan albert alejandro alessandro alexander
alexandra alfred ali alice amanda amelia amir amy ana andrea andreas andrew andrzej angela anita anja anke
ann anna anne annette anthony anton antonio armin arthur astrid axel ayse barbara beate benjamin bernadette
bernd bernhard bettina birgit bjorn boris brenda brian brigitte bruno carla carlos carmen carol caroline
carsten catherine cecilia chantal charles charlotte chiara christa christian christiane christina christine
christoph christopher clara claudia clemens cornelia cynthia dagmar daniel daniela david deborah denis
dennis detlef diana dieter dietmar dirk dmitri dominik donald donna doris dorothea edgar edith eduard
edward elena elfriede elif elisa elisabeth elizabeth elke ellen emil emilia emily emma erich erik erika
ernst erwin esther eugen eva evelyn ewa fatima fatma felix ferdinand fernando florian francesca francesco
frank franz franziska frauke frederic frieda friederike friedrich fritz gabriele gary georg george gerald
gerda gerhard gertrud giovanni gisela giulia giuseppe gottfried gregor greta gudrun guenter guenther guido
gunter gustav hanna hannah hannelore hans harald hasan hassan heather heidi heike heiko heinrich heinz
helen helena helga helmut henrik herbert hermann hildegard holger horst hubert hugo huseyin ibrahim igor
ilse inge ingrid irene irina irmgard iryna isabel isabella ivan jacob jacqueline jakob jakub james jane
janet jean jennifer jens jessica joachim joan jochen johann johanna johannes john jonas jonathan jorge jose
josef joseph juan judith juergen julia julian juliane jurgen jutta karen karin karl karla katarina
katarzyna katharina katherine kathleen kathrin katrin kenneth kerstin kevin khalid klara klaus konrad
kristina krzysztof kurt lars laura lena leon leonard liam lieselotte lina linda lisa lorenz lothar louis
louise luc luca lucia ludwig luis luisa luise lukas lydia magdalena maike malgorzata malte manfred manuela
marc marcel marco marcus margaret margarete margit margot maria mariam marianne marie marina mario marion
markus marlene marta martha martin martina mathilde matthew matthias maurice maximilian mehmet melanie
michael michel michelle miguel mike miriam mohamed mohammad mohammed monika moritz muhammad mustafa
mustermann nadia nadine nancy natalia natalie nicholas nicola nicole nikolaus nils nina norbert oksana olaf
olena olga oliver oscar oskar otto pamela paola paolo pascal patricia patrick paul paula pauline pawel
pedro peter petra philip philipp pierre pietro piotr rainer ralf raphael rebecca regina reiner reinhard
renate ricardo richard rita robert roberto rolf ronald rosemarie roswitha rudolf ruth sabine samuel sandra
sara sarah sascha sebastian sergej sharon siegfried sigrid silke silvia simon simone sofia sophia sophie
stefan stefanie steffen stephanie stephen steven susan susanna susanne sven svetlana sylvia sylvie tanja
tatjana teresa thea theo theodor theresa thomas timo timothy tina tobias udo ulla ulrich ulrike ursula uta
ute uwe valentina vanessa vera verena veronika victor victoria vincent vladimir volker walter waltraud
werner wiebke wilhelm william wolfgang yannick yusuf yvonne zeynep zoe zofia
"""
_NO_SURNAMES = """
biopsy blue breast cancer carcinoma case clinic cohort colon control copy demo dicom he hospital image images
institute kidney klinik lab label level liver lung lymph macro melanoma node normal ome prostate roi sample
scan scanner skin slide slides specimen stain stomach study svs test thyroid tif tiff tissue tumor tumour
university wsi zeiss
"""

GIVEN_NAMES = frozenset(_GIVEN_NAMES.split())
"""Given names that are hardly ever something else: no Max, Rose, Grace, Mark, Art."""
NO_SURNAMES = frozenset(_NO_SURNAMES.split())
"""Words that stand beside one and are no surname."""
